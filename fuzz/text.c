/* text(): places for values are found, named and rendered; SQLite may refuse the SQL, nothing else may happen. */
#include "fuzz.h"

#include <sqlite3.h>

#include "compile/compile.h"
#include "dialect/dialect.h"
#include "sql/expression.h"

const char *const fuzz_seeds[] = {
    "SELECT :a, :b WHERE x = ':no' AND y = \"::no\"",      "a\\:b ::int :c_1 -- :d", "x = :x OR :x",
    "SELECT '%s', 50% FROM t /* :e */ WHERE a IN (:list)", ":1 :a1 ?:q @r $s",       NULL};

static sqlite3 *database(void) {
    static sqlite3 *kept;
    must(kept != NULL || sqlite3_open(":memory:", &kept) == SQLITE_OK);
    return kept;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *sql = text_of(data, size);
    corm_node *node = corm_text_new(sql, NULL, 0, NULL, 0);
    if (node != NULL) {
        corm_node *again = corm_text_new(sql, NULL, 0, NULL, 0);
        must(again != NULL && corm_node_equal(node, again));
        corm_compile_options how = {.column_keys = NULL};
        corm_compiled *compiled;
        if (corm_compile(corm_dialect_default(), node, &how, &compiled) == CORM_OK) {
            size_t length;
            const char *rendered = corm_compiled_text(compiled, &length);
            sqlite3_stmt *statement = NULL;
            must(rendered != NULL && strlen(rendered) == length);
            sqlite3_prepare_v2(database(), rendered, (int)length, &statement, NULL);
            sqlite3_finalize(statement);
            corm_compiled_unref(compiled);
        }
        corm_node_unref(again);
    }
    corm_node_unref(node);
    corm_error_clear();
    free(sql);
    return 0;
}
