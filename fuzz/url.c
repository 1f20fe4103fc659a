/* Database URLs: what is parsed and rendered is parsed to the same. */
#include "fuzz.h"

#include "engine/url.h"

const char *const fuzz_seeds[] = {"sqlite://",
                                  "sqlite:///file.db?timeout=5&foreign_keys=1",
                                  "sqlite:////abs/path%20x.db",
                                  "postgresql+psycopg://me:s%40cret@host:5432/db?sslmode=require",
                                  "mysql://[::1]:3306/x",
                                  "sqlite:///:memory:",
                                  NULL};

static bool same(const char *left, const char *right) {
    return left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;
}

static void compare(const corm_url *first, const corm_url *second) {
    must(same(first->dialect, second->dialect) && same(first->driver, second->driver));
    must(same(first->username, second->username) && same(first->password, second->password));
    must(same(first->host, second->host) && first->port == second->port && same(first->database, second->database));
    must(first->query_count == second->query_count);
    for (size_t i = 0; i < first->query_count; i++) {
        must(same(first->query[i].key, second->query[i].key) && same(first->query[i].value, second->query[i].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = text_of(data, size);
    corm_url *url, *again;
    if (corm_url_parse(text, &url) == CORM_OK) {
        corm_text shown = CORM_TEXT_EMPTY;
        corm_url_render(url, false, &shown);
        must(corm_text_status(&shown) == CORM_OK && corm_url_parse(shown.data, &again) == CORM_OK);
        compare(url, again);
        corm_text_clear(&shown);
        corm_url_render(url, true, &shown);
        must(url->password == NULL || strlen(url->password) < 4 || url->username == NULL ||
             strstr(url->username, url->password) != NULL || strstr(shown.data, "***") != NULL);
        corm_text_clear(&shown);
        corm_url_free(again);
    } else {
        must(url == NULL && corm_error_last()->message != NULL);
    }
    corm_url_free(url);
    corm_error_clear();
    free(text);
    return 0;
}
