// The library asserts what its own errors report a few lines later ('[' and then a character that begins no key), and
// assumes it where assertions are off: neither is for the bytes of a stranger. Scripts/fuzz found it.
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(0)
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

#include <new>
#include <string>
#include <vector>

#include "ctoml.h"

struct ctoml_document {
    toml::table root;
    std::vector<ctoml_event> events;
    std::string error;
    ctoml_place begin{};
    ctoml_place end{};
    bool failed = false;
};

namespace {

ctoml_place place(const toml::source_position &position) {
    return {static_cast<uint32_t>(position.line), static_cast<uint32_t>(position.column)};
}

ctoml_event event(int kind, const toml::node &node, const toml::key *key) {
    ctoml_event event{};
    event.kind = kind;
    event.begin = place(node.source().begin);
    event.end = place(node.source().end);
    if (key) {
        event.key = key->data();
        event.key_length = key->length();
        event.key_begin = place(key->source().begin);
        event.key_end = place(key->source().end);
    }
    return event;
}

int scalar_kind(const toml::node &node) {
    switch (node.type()) {
    case toml::node_type::string: return CTOML_STRING;
    case toml::node_type::integer: return CTOML_INTEGER;
    case toml::node_type::floating_point: return CTOML_FLOAT;
    case toml::node_type::boolean: return CTOML_BOOLEAN;
    case toml::node_type::date: return CTOML_DATE;
    case toml::node_type::time: return CTOML_TIME;
    default: return node.as_date_time()->get().is_local() ? CTOML_LOCAL_DATE_TIME : CTOML_DATE_TIME;
    }
}

// The depth is bounded before the parser sees a document: see TOMLReader.swift.
void walk(const toml::node &node, const toml::key *key, std::vector<ctoml_event> &events) {
    if (const auto *table = node.as_table()) {
        events.push_back(event(CTOML_TABLE_BEGIN, node, key));
        for (const auto &[name, value] : *table) walk(value, &name, events);
        events.push_back(event(CTOML_TABLE_END, node, nullptr));
    } else if (const auto *array = node.as_array()) {
        events.push_back(event(CTOML_ARRAY_BEGIN, node, key));
        for (const auto &value : *array) walk(value, nullptr, events);
        events.push_back(event(CTOML_ARRAY_END, node, nullptr));
    } else {
        ctoml_event scalar = event(scalar_kind(node), node, key);
        if (const auto *string = node.as_string()) {
            scalar.text = string->get().data();
            scalar.text_length = string->get().length();
        } else if (const auto *boolean = node.as_boolean()) {
            scalar.boolean = boolean->get();
        }
        events.push_back(scalar);
    }
}

} // namespace

ctoml_document *ctoml_parse(const char *bytes, size_t length) {
    ctoml_document *document = nullptr;
    try {
        document = new ctoml_document;
        toml::parse_result result = toml::parse(std::string_view{bytes, length});
        if (result) {
            document->root = std::move(result).table();
            walk(document->root, nullptr, document->events);
        } else {
            document->failed = true;
            document->error = std::string{result.error().description()};
            document->begin = place(result.error().source().begin);
            document->end = place(result.error().source().end);
        }
        return document;
    } catch (...) {
        delete document;
        return nullptr;
    }
}

const char *ctoml_error(const ctoml_document *document, ctoml_place *begin, ctoml_place *end) {
    if (!document->failed) return nullptr;
    *begin = document->begin;
    *end = document->end;
    return document->error.c_str();
}

const ctoml_event *ctoml_events(const ctoml_document *document, size_t *count) {
    *count = document->events.size();
    return document->events.data();
}

void ctoml_free(ctoml_document *document) { delete document; }
