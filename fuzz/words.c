/* The words of a mapping: cascades, order, names and types of fields, each taken from the input. */
#include "fuzz.h"

#include <cormorant.h>

#include "orm/mapper.h"

const char *const fuzz_seeds[] = {"all, delete-orphan",
                                  "save-update,merge , expunge\nname desc, id\nid",
                                  "none",
                                  "all",
                                  "delete, refresh-expire\nother\nt.id",
                                  NULL};

static char *next_line(char **at) {
    char *line = *at, *end = line == NULL ? NULL : strchr(line, '\n');
    if (end != NULL) {
        *end = '\0';
    }
    *at = end == NULL ? NULL : end + 1;
    return line;
}

static void map(char *cascade, char *order, char *references) {
    const corm_field parents[] = {
        {.name = "id", .field_type = CORM_FIELD_INT64, .type = CORM_INTEGER, .primary_key = true},
        {.name = "name", .offset = 8, .field_type = CORM_FIELD_TEXT, .type = CORM_TEXT},
        {.name = "children",
         .offset = 16,
         .field_type = CORM_FIELD_MANY,
         .target = "child",
         .cascade = cascade,
         .order_by = order,
         .inverse = "parent"}};
    const corm_field children[] = {
        {.name = "id", .field_type = CORM_FIELD_INT64, .type = CORM_INTEGER, .primary_key = true},
        {.name = "name", .offset = 8, .field_type = CORM_FIELD_TEXT, .type = CORM_TEXT},
        {.name = "parent_id",
         .offset = 16,
         .field_type = CORM_FIELD_NULLABLE_INT,
         .type = CORM_INTEGER,
         .references = references == NULL ? "parents.id" : references},
        {.name = "parent",
         .offset = 32,
         .field_type = CORM_FIELD_REFERENCE,
         .target = "parent",
         .inverse = "children"}};
    corm_mapping parent = {"parent", "parents", 24, parents, 3, NULL},
                 child = {"child", "children", 40, children, 4, NULL};
    corm_models *models = corm_models_new();
    must(models != NULL);
    bool good = corm_models_add_mapping(models, &parent) == CORM_OK &&
                corm_models_add_mapping(models, &child) == CORM_OK && corm_models_check(models) == CORM_OK;
    must(good || corm_error_last()->message != NULL);
    corm_models_free(models);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = text_of(data, size), *at = text;
    uint32_t cascade;
    char *first = next_line(&at), *second = next_line(&at), *third = next_line(&at);
    if (corm_cascade_parse(first, &cascade) != CORM_OK) {
        must(corm_error_last()->status == CORM_ARGUMENT_ERROR);
    }
    map(first, second, third);
    corm_error_clear();
    free(text);
    return 0;
}
