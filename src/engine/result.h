/*
 * Cursors: the rows of a statement that runs. A cursor that outlives its connection is closed with it, and says so.
 */
#ifndef CORM_ENGINE_RESULT_H
#define CORM_ENGINE_RESULT_H

#include "engine/engine.h"

/* Go to the next row; the first call goes to the first. At the end the cursor closes itself. */
corm_status corm_cursor_next(corm_cursor *cursor, bool *has_row);
/* The present row's values: borrowed until the next call. */
const corm_value *corm_cursor_values(const corm_cursor *cursor);
size_t corm_cursor_column_count(const corm_cursor *cursor);
/* Borrowed until the cursor is closed. */
const char *corm_cursor_column_name(const corm_cursor *cursor, size_t column);
/* How many rows of the result the client has, read ones too; 0: not known. */
size_t corm_cursor_rows_here(const corm_cursor *cursor);
int64_t corm_cursor_changed_rows(const corm_cursor *cursor);
int64_t corm_cursor_generated_key(const corm_cursor *cursor);
bool corm_cursor_is_open(const corm_cursor *cursor);
/* Drop remaining rows and give the prepared statement back. The cursor's counts stay readable. */
void corm_cursor_close(corm_cursor *cursor);
void corm_cursor_free(corm_cursor *cursor); /* closes; accepts NULL */

#endif
