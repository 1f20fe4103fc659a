/* Database URLs: see url.h. The grammar is that of RFC 3986's generic URLs, with everything after the host optional. */
#include "engine/url.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* ---- parsing ---- */

static int hex(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A new string with %XX resolved, but %00, which no text can hold; plus: '+' means a space (in a query). */
static char *decode(const char *text, size_t size, bool plus) {
    char *out = corm_strndup(text, size);
    char *to = out;
    for (size_t i = 0; out != NULL && i < size; i++) {
        int code = text[i] == '%' && i + 2 < size && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0
                       ? hex(text[i + 1]) * 16 + hex(text[i + 2])
                       : 0;
        if (code != 0) {
            *to++ = (char)code;
            i += 2;
        } else {
            *to++ = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    if (out != NULL) {
        *to = '\0';
    }
    return out;
}

static corm_status bad(const char *text, const char *why) {
    /* Never the text itself: it may hold a password. */
    (void)text;
    return corm_error_set(CORM_ARGUMENT_ERROR,
                          "Could not parse the database URL: %s. It has the form "
                          "dialect+driver://user:password@host:port/database",
                          why);
}

static const char *find(const char *from, const char *end, char c) {
    return from == NULL ? NULL : memchr(from, c, (size_t)(end - from));
}

static const char *find_last(const char *from, const char *end, char c) {
    for (const char *at = end; at > from; at--) {
        if (at[-1] == c) {
            return at - 1;
        }
    }
    return NULL;
}

static corm_status parse_dialect(corm_url *url, const char *text, const char *end) {
    const char *plus = find(text, end, '+');
    if (text == end) {
        return bad(text, "it has no dialect");
    }
    for (const char *at = text; at < end; at++) {
        if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || *at == '_' ||
              *at == '+' || *at == '-' || *at == '.')) {
            return bad(text, "its dialect has odd characters");
        }
    }
    url->dialect = corm_strndup(text, (size_t)((plus == NULL ? end : plus) - text));
    if (plus != NULL) {
        url->driver = corm_strndup(plus + 1, (size_t)(end - plus - 1));
    }
    return url->dialect == NULL || (plus != NULL && url->driver == NULL) ? CORM_NO_MEMORY : CORM_OK;
}

static corm_status parse_port(corm_url *url, const char *text, const char *end) {
    long port = 0;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9' || (port = port * 10 + (*text - '0')) > 65535) {
            return bad(text, "its port is no number up to 65535");
        }
    }
    url->port = (int)port;
    return CORM_OK;
}

/* user:password@host:port */
static corm_status parse_authority(corm_url *url, const char *text, const char *end) {
    const char *at = find_last(text, end, '@');
    if (at != NULL) {
        const char *colon = find(text, at, ':');
        const char *user_end = colon == NULL ? at : colon;
        url->username = decode(text, (size_t)(user_end - text), false);
        if (colon != NULL) {
            url->password = decode(colon + 1, (size_t)(at - colon - 1), false);
        }
        if (url->username == NULL || (colon != NULL && url->password == NULL)) {
            return CORM_NO_MEMORY;
        }
        text = at + 1;
    }
    const char *host_end = end;
    const char *bracket = text < end && *text == '[' ? find(text, end, ']') : NULL;
    const char *colon = find_last(bracket == NULL ? text : bracket, end, ':');
    if (bracket != NULL && bracket + 1 != (colon == NULL ? end : colon)) {
        return bad(text, "something stands between the host's closing bracket and its port");
    }
    if (colon != NULL) {
        corm_status status = parse_port(url, colon + 1, end);
        if (status != CORM_OK) {
            return status;
        }
        host_end = colon;
    }
    if (bracket != NULL) {
        text++;
        host_end = bracket;
    } else if (find(text, host_end, ':') != NULL) {
        return bad(text, "its host has a colon: an IPv6 address stands in brackets");
    }
    if (host_end > text) {
        url->host = corm_strndup(text, (size_t)(host_end - text)); /* as it stands: hosts are not escaped */
        return url->host == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    return CORM_OK;
}

static corm_status parse_query(corm_url *url, const char *text, const char *end) {
    while (text < end) {
        const char *next = find(text, end, '&');
        const char *stop = next == NULL ? end : next;
        const char *equals = find(text, stop, '=');
        if (stop > text) {
            const char *value = equals == NULL ? stop : equals + 1;
            char *key = decode(text, (size_t)((equals == NULL ? stop : equals) - text), true);
            char *decoded = decode(value, (size_t)(stop - value), true);
            corm_status status =
                key == NULL || decoded == NULL ? CORM_NO_MEMORY : corm_url_add_query(url, key, decoded);
            corm_free(key);
            corm_free(decoded);
            if (status != CORM_OK) {
                return status;
            }
        }
        text = next == NULL ? end : next + 1;
    }
    return CORM_OK;
}

static corm_status parse(corm_url *url, const char *text) {
    const char *end = text + strlen(text);
    const char *scheme = strstr(text, "://");
    if (scheme == NULL) {
        return bad(text, "it has no '://'");
    }
    corm_status status = parse_dialect(url, text, scheme);
    const char *rest = scheme + 3;
    const char *query = find(rest, end, '?');
    const char *path_end = query == NULL ? end : query;
    const char *slash = find(rest, path_end, '/');
    if (status == CORM_OK) {
        status = parse_authority(url, rest, slash == NULL ? path_end : slash);
    }
    if (status == CORM_OK && slash != NULL && slash + 1 < path_end) {
        url->database = decode(slash + 1, (size_t)(path_end - slash - 1), false);
        status = url->database == NULL ? CORM_NO_MEMORY : CORM_OK;
    }
    return status == CORM_OK && query != NULL ? parse_query(url, query + 1, end) : status;
}

corm_status corm_url_parse(const char *text, corm_url **out) {
    *out = NULL;
    corm_url *url = corm_calloc(1, sizeof *url);
    if (url == NULL) {
        return CORM_NO_MEMORY;
    }
    corm_status status = parse(url, text);
    if (status != CORM_OK) {
        corm_url_free(url);
        return status;
    }
    *out = url;
    return CORM_OK;
}

/* ---- making ---- */

corm_status corm_url_new(const char *dialect, const char *driver, corm_url **out) {
    *out = NULL;
    corm_url *url = corm_calloc(1, sizeof *url);
    if (url == NULL) {
        return CORM_NO_MEMORY;
    }
    url->dialect = corm_strdup(dialect);
    url->driver = driver == NULL ? NULL : corm_strdup(driver);
    if (url->dialect == NULL || (driver != NULL && url->driver == NULL)) {
        corm_url_free(url);
        return CORM_NO_MEMORY;
    }
    *out = url;
    return CORM_OK;
}

corm_status corm_url_add_query(corm_url *url, const char *key, const char *value) {
    corm_url_argument *grown = corm_realloc_array(url->query, url->query_count + 1, sizeof *grown);
    if (grown == NULL) {
        return CORM_NO_MEMORY;
    }
    url->query = grown;
    corm_url_argument added = {corm_strdup(key), corm_strdup(value)};
    if (added.key == NULL || added.value == NULL) {
        corm_free(added.key);
        corm_free(added.value);
        return CORM_NO_MEMORY;
    }
    grown[url->query_count++] = added;
    return CORM_OK;
}

static corm_status copy_text(const char *text, char **out) {
    *out = text == NULL ? NULL : corm_strdup(text);
    return text != NULL && *out == NULL ? CORM_NO_MEMORY : CORM_OK;
}

corm_status corm_url_copy(const corm_url *url, corm_url **out) {
    corm_status status = corm_url_new(url->dialect, url->driver, out);
    if (status != CORM_OK) {
        return status;
    }
    corm_url *copy = *out;
    copy->port = url->port;
    if (copy_text(url->username, &copy->username) != CORM_OK || copy_text(url->password, &copy->password) != CORM_OK ||
        copy_text(url->host, &copy->host) != CORM_OK || copy_text(url->database, &copy->database) != CORM_OK) {
        status = CORM_NO_MEMORY;
    }
    for (size_t i = 0; i < url->query_count && status == CORM_OK; i++) {
        status = corm_url_add_query(copy, url->query[i].key, url->query[i].value);
    }
    if (status != CORM_OK) {
        corm_url_free(copy);
        *out = NULL;
    }
    return status;
}

void corm_url_free(corm_url *url) {
    if (url == NULL) {
        return;
    }
    for (size_t i = 0; i < url->query_count; i++) {
        corm_free(url->query[i].key);
        corm_free(url->query[i].value);
    }
    corm_free(url->query);
    corm_free(url->dialect);
    corm_free(url->driver);
    corm_free(url->username);
    corm_free(url->password);
    corm_free(url->host);
    corm_free(url->database);
    corm_free(url);
}

const char *corm_url_query(const corm_url *url, const char *key) {
    for (size_t i = 0; i < url->query_count; i++) {
        if (strcmp(url->query[i].key, key) == 0) {
            return url->query[i].value;
        }
    }
    return NULL;
}

/* ---- rendering ---- */

static void encode(const char *text, const char *safe, corm_text *out) {
    static const char digits[] = "0123456789ABCDEF";
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(safe, c) != NULL) {
            corm_text_append_char(out, (char)c);
        } else {
            char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
            corm_text_append_bytes(out, escape, sizeof escape);
        }
    }
}

/* A path as people write it; only what would be taken for something else is escaped. */
static void append_path(const char *path, corm_text *out) {
    for (; *path != '\0'; path++) {
        if (*path == '%' || *path == '?') {
            corm_text_append(out, *path == '%' ? "%25" : "%3F");
        } else {
            corm_text_append_char(out, *path);
        }
    }
}

void corm_url_render(const corm_url *url, bool hide_password, corm_text *out) {
    corm_text_append(out, url->dialect);
    if (url->driver != NULL) {
        corm_text_append_char(out, '+');
        corm_text_append(out, url->driver);
    }
    corm_text_append(out, "://");
    if (url->username != NULL) {
        encode(url->username, "-._~ +", out);
        if (url->password != NULL) {
            corm_text_append_char(out, ':');
            if (hide_password) {
                corm_text_append(out, "***");
            } else {
                encode(url->password, "-._~ +", out);
            }
        }
        corm_text_append_char(out, '@');
    }
    if (url->host != NULL) {
        bool brackets = strchr(url->host, ':') != NULL;
        corm_text_append(out, brackets ? "[" : "");
        corm_text_append(out, url->host);
        corm_text_append(out, brackets ? "]" : "");
    }
    if (url->port != 0) {
        corm_text_append_format(out, ":%d", url->port);
    }
    if (url->database != NULL) {
        corm_text_append_char(out, '/');
        append_path(url->database, out);
    }
    for (size_t i = 0; i < url->query_count; i++) {
        corm_text_append_char(out, i == 0 ? '?' : '&');
        encode(url->query[i].key, "-._~", out);
        corm_text_append_char(out, '=');
        encode(url->query[i].value, "-._~/", out);
    }
}
