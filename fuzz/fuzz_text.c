/* Textual SQL with `:name` places: taken apart within its bounds, then compiled and shown. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"

#include "base/alloc.h"
#include "compile/compile.h"
#include "sql/expression.h"
#include "sql/text_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    size_t position = 0;
    corm_text_piece piece;
    while (corm_text_scan(text, size, &position, &piece)) {
        assert(position <= size);
        assert(piece.start >= text && piece.start + piece.size <= text + size);
    }
    char *copy = corm_strndup(text, size);
    corm_node *node = copy == NULL ? NULL : corm_text_new(copy, NULL, 0, NULL, 0);
    corm_text shown = CORM_TEXT_EMPTY;
    if (node != NULL && corm_statement_render(NULL, node, false, &shown) != CORM_OK) {
        assert(corm_error_last()->status != CORM_OK);
    }
    corm_text_clear(&shown);
    corm_node_unref(node);
    corm_free(copy);
    return 0;
}
