#ifndef CCRC32C_H
#define CCRC32C_H

#include <stddef.h>
#include <stdint.h>

/// CRC32C (Castagnoli, RFC 3720) of `length` bytes, continuing from `crc`, the value returned for what came before (0 at first).
uint32_t ccrc32c_extend(uint32_t crc, const void *bytes, size_t length);

/// The same by table lookup only: for machines without the instruction, and for the test that compares both.
uint32_t ccrc32c_extend_portable(uint32_t crc, const void *bytes, size_t length);

#endif
