/* Dates and times: checking, parsing and printing in ISO 8601's forms. No time zone database, no locale. */
#ifndef CORM_TYPE_DATETIME_H
#define CORM_TYPE_DATETIME_H

#include "type/value.h"

bool corm_datetime_is_valid(const corm_datetime *datetime, corm_kind kind);
/* CORM_STATEMENT_ERROR, with every part in its words: there is no such date, time or point in time. */
corm_status corm_datetime_refuse(const corm_datetime *datetime, corm_kind kind);

/* Parse "YYYY-MM-DD", "HH:MM[:SS[.ffffff]][+HH:MM]", "YYYY-MM-DD[ T]HH:MM[:SS[.ffffff]][+HH:MM|Z]". kind
 * is DATE, TIME or DATETIME. CORM_VALUE_ERROR names the text. */
corm_status corm_datetime_parse(corm_kind kind, const char *text, size_t size, corm_value *out);

/* Print; returns the size written (no NUL). buffer has CORM_DATETIME_MAX bytes. always_micro writes
 * ".000000" as SQLite's storage format wants; separator is ' ' or 'T'. */
#define CORM_DATETIME_MAX 40
size_t corm_datetime_format(corm_kind kind, const corm_datetime *datetime, char separator, bool always_micro,
                            char *buffer);
/* Proleptic Gregorian day number, and back. */
int64_t corm_datetime_ordinal(const corm_datetime *datetime);
void corm_datetime_from_ordinal(int64_t ordinal, corm_datetime *out);

#endif
