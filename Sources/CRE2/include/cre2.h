#ifndef CRE2_H
#define CRE2_H

#include <stddef.h>

// Regular expressions whose search takes time in proportion to the text, whatever the pattern. A C face of RE2, which
// is C++.

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cre2_pattern cre2_pattern;

/// Reads a pattern of UTF-8, which will be looked for whatever the case. NULL if it is none; `error` then says why,
/// ended by a zero byte.
cre2_pattern *cre2_pattern_make(const char *text, size_t length, char *error, size_t error_capacity);

void cre2_pattern_free(cre2_pattern *pattern);

/// Whether the pattern is found anywhere in the bytes, which are UTF-8 or not.
int cre2_pattern_is_found(const cre2_pattern *pattern, const char *bytes, size_t length);

#ifdef __cplusplus
}
#endif

#endif
