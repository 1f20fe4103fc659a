/* The default dialect: what str(statement) shows when no database is known. Nothing is stored through it. */
#include "dialect/default_words.h"
#include "dialect/dialects.h"

static corm_status limit(corm_compiler *compiler, corm_node *count, corm_node *offset) {
    corm_status status = CORM_OK;
    if (count) {
        corm_compiler_append(compiler, "\n LIMIT ");
        status = corm_compiler_node(compiler, count, CORM_OP_NONE);
    }
    if (offset && !status) {
        corm_compiler_append(compiler, count ? " OFFSET " : "\n LIMIT -1 OFFSET ");
        status = corm_compiler_node(compiler, offset, CORM_OP_NONE);
    }
    return status;
}

static corm_status true_divide(corm_compiler *compiler, const corm_binary *binary) {
    corm_status status = corm_compiler_node(compiler, binary->children[0], CORM_OP_TRUE_DIV);
    if (status)
        return status;
    corm_compiler_append(compiler, " / CAST(");
    status = corm_compiler_operand(compiler, binary->children[1], CORM_OP_NONE, binary->children[0]);
    corm_compiler_append(compiler, " AS NUMERIC)");
    return status;
}

static corm_status next_value(const char *sequence, corm_text *out) {
    corm_text_append_format(out, "<next sequence value: %s>", sequence);
    return corm_text_status(out);
}

static corm_status type_name(const corm_type *type, corm_text *out) {
    return corm_standard_type_name(&corm_dialect_plain, type, out);
}

static corm_convert_bind no_bind_converter(const corm_type *type) {
    (void)type;
    return NULL;
}

static corm_convert_result no_result_converter(const corm_type *type) {
    (void)type;
    return NULL;
}

const corm_dialect corm_dialect_plain = {
    .name = "default",
    .paramstyle = CORM_PARAMSTYLE_NAMED,
    .quote_open = '"',
    .quote_close = '"',
    .reserved_words = default_words,
    .identifier_limit = 9999,
    .supports_returning = true,
    .supports_on_conflict = true,
    .supports_on_duplicate_key = true, /* for people */
    .supports_native_boolean = true,
    .supports_multi_table_delete = true,
    .supports_update_from = true,
    .supports_for_update = true,
    .has_big_integers = true,
    .supports_if_exists = true,
    .supports_nested_transactions = true,
    .supports_sequences = true,
    .supports_identity = true,
    .supports_foreign_key_alter = true,
    .supports_deferrable = true,
    .parenthesises_compound = true,
    .distinct_from = " IS DISTINCT FROM ",
    .not_distinct_from = " IS NOT DISTINCT FROM ",
    .regexp = " <regexp> ",
    .not_regexp = " <not regexp> ",
    .empty_set = "SELECT 1 WHERE 1!=1",
    .limit = limit,
    .true_divide = true_divide,
    .extract = corm_standard_extract,
    .next_value = next_value,
    .function_name = corm_standard_function_name,
    .type_name = type_name,
    .literal = corm_standard_literal,
    .bind_converter = no_bind_converter,
    .result_converter = no_result_converter,
};
