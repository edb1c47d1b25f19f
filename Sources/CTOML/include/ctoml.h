#ifndef CTOML_H
#define CTOML_H

#include <stddef.h>
#include <stdint.h>

// A TOML document as a list of events, with the place of every key and value. A C face of toml++, which is C++.

#ifdef __cplusplus
extern "C" {
#endif

enum ctoml_kind {
    CTOML_TABLE_BEGIN,
    CTOML_TABLE_END,
    CTOML_ARRAY_BEGIN,
    CTOML_ARRAY_END,
    CTOML_STRING,
    CTOML_INTEGER,
    CTOML_FLOAT,
    CTOML_BOOLEAN,
    CTOML_DATE,
    CTOML_TIME,
    CTOML_DATE_TIME,
    CTOML_LOCAL_DATE_TIME,
};

/// Line and column from 1; columns count Unicode scalars. All zero where there is no place.
typedef struct {
    uint32_t line;
    uint32_t column;
} ctoml_place;

typedef struct {
    int kind;
    int boolean;
    /// The key, inside a table only; it lives as long as the document.
    const char *key;
    size_t key_length;
    ctoml_place key_begin;
    ctoml_place key_end;
    ctoml_place begin;
    ctoml_place end;
    /// The decoded text of a string; the other scalars are to be read from the source, between `begin` and `end`.
    const char *text;
    size_t text_length;
} ctoml_event;

typedef struct ctoml_document ctoml_document;

/// Reads `length` bytes of UTF-8. Never null but when memory is out. Free it with `ctoml_free`.
ctoml_document *ctoml_parse(const char *bytes, size_t length);

/// What the parser says is wrong; null for a good document.
const char *ctoml_error(const ctoml_document *document, ctoml_place *begin, ctoml_place *end);

const ctoml_event *ctoml_events(const ctoml_document *document, size_t *count);

void ctoml_free(ctoml_document *document);

#ifdef __cplusplus
}
#endif

#endif
