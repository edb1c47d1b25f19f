#ifndef CSHA256_H
#define CSHA256_H

#include <stddef.h>
#include <stdint.h>

/// Whether this machine has instructions for SHA-256 that `csha256` knows how to use.
int csha256_is_available(void);

/// SHA-256 (FIPS 180-4) of `length` bytes, into the 32 at `digest`. Only where it is available.
void csha256(const void *bytes, size_t length, void *digest);

/// SHA-256 of two inputs at once, in little more time than the longer one takes alone. Only where it is available.
void csha256_pair(const void *first, size_t first_length, const void *second, size_t second_length, void *first_digest,
                  void *second_digest);

#endif
