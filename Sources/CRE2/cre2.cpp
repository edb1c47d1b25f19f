#include "cre2.h"

#include <cstdio>
#include <re2/re2.h>

struct cre2_pattern {
    RE2 expression;

    cre2_pattern(re2::StringPiece text, const RE2::Options &options) : expression(text, options) {}
};

// Memory for the pattern and for what a search remembers; beyond it a search is slower, and still in proportion.
static const int64_t most_memory = 8 << 20;

extern "C" cre2_pattern *cre2_pattern_make(const char *text, size_t length, char *error, size_t error_capacity) {
    try {
        RE2::Options options;
        options.set_case_sensitive(false);
        options.set_log_errors(false);
        options.set_max_mem(most_memory);
        auto *pattern = new cre2_pattern(re2::StringPiece(text, length), options);
        if (pattern->expression.ok()) return pattern;
        std::snprintf(error, error_capacity, "%s", pattern->expression.error().c_str());
        delete pattern;
    } catch (...) {
        std::snprintf(error, error_capacity, "there is no memory for it");
    }
    return nullptr;
}

extern "C" void cre2_pattern_free(cre2_pattern *pattern) { delete pattern; }

extern "C" int cre2_pattern_is_found(const cre2_pattern *pattern, const char *bytes, size_t length) {
    return RE2::PartialMatch(re2::StringPiece(bytes, length), pattern->expression);
}
