/*
 * Connecting to MariaDB and MySQL, and cancelling what runs there.
 *
 * Query arguments are those of PyMySQL and mysqlclient; what they mean for TLS, the socket and time-outs is kept, what is
 * about Python objects is accepted and means nothing here. Text is utf8mb4 on the wire whatever is asked for.
 *
 * The server counts rows found, not rows changed, takes one statement at a time, and does not commit by itself: a
 * transaction begins with its first statement, without a round trip.
 */
#include <errmsg.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/resolve.h"
#include "base/wait.h"
#include "driver/mysql_private.h"

static const double default_connect_timeout = 10; /* seconds, as PyMySQL */
static const unsigned int cancel_timeout = 5;     /* seconds to reach the server for a cancel request */
static const char *const first_command = "SET autocommit=0";

/* ---- settings ---- */

static void settings_unref(corm_mysql_settings *settings) {
    if (settings != NULL && atomic_fetch_sub_explicit(&settings->references, 1, memory_order_acq_rel) == 1) {
        corm_url_free(settings->url);
        corm_free(settings);
    }
}

static bool is_among(const char *key, const char *const *keys) {
    for (; *keys != NULL; keys++) {
        if (strcmp(key, *keys) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_true(const char *value) {
    static const char *const words[] = {"1", "true", "True", "TRUE", "yes", "on", "ON", NULL};
    return is_among(value, words);
}

static corm_status read_seconds(const char *key, const char *value, int64_t *out) {
    char *end;
    double seconds = strtod(value, &end);
    if (strcmp(value, "None") == 0) {
        *out = 0;
        return CORM_OK;
    }
    if (end == value || *end != '\0' || !(seconds >= 0) || seconds > INT32_MAX) {
        return corm_error_set(CORM_ARGUMENT_ERROR, "URL argument %s: '%s' is no number of seconds", key, value);
    }
    *out = (int64_t)(seconds * 1e9);
    return CORM_OK;
}

static corm_status read_charset(const char *value) {
    static const char *const taken[] = {"utf8mb4", "utf8", "utf8mb3", "UTF8MB4", "UTF8", NULL};
    return is_among(value, taken)
               ? CORM_OK
               : corm_error_set(CORM_ARGUMENT_ERROR,
                                "URL argument charset: '%s' is not supported: text is sent as utf8mb4, which holds "
                                "every other",
                                value);
}

/* Arguments of the settings themselves; the others are options of the client library. */
static corm_status read_setting(corm_mysql_settings *settings, const char *key, char *value) {
    if (strcmp(key, "unix_socket") == 0) {
        settings->unix_socket = value;
    } else if (strcmp(key, "connect_timeout") == 0) {
        return read_seconds(key, value, &settings->connect_timeout);
    } else if (strcmp(key, "read_timeout") == 0 || strcmp(key, "write_timeout") == 0) {
        return read_seconds(key, value, &settings->timeout);
    } else if (strcmp(key, "charset") == 0) {
        return read_charset(value);
    } else if (strcmp(key, "user") == 0 || strcmp(key, "username") == 0) {
        settings->user = value;
    } else if (strcmp(key, "password") == 0 || strcmp(key, "passwd") == 0) {
        settings->password = value;
    } else if (strcmp(key, "host") == 0) {
        settings->host = value;
    } else if (strcmp(key, "database") == 0 || strcmp(key, "db") == 0) {
        settings->database = value;
    } else if (strcmp(key, "port") == 0) {
        settings->port = (unsigned int)strtoul(value, NULL, 10);
    }
    return CORM_OK;
}

static corm_status read_settings(const corm_url *url, corm_mysql_settings **out) {
    *out = NULL;
    corm_mysql_settings *settings = corm_calloc(1, sizeof *settings);
    if (settings == NULL) {
        return CORM_NO_MEMORY;
    }
    atomic_init(&settings->references, 1);
    corm_status status = corm_url_copy(url, &settings->url);
    settings->connect_timeout = (int64_t)(default_connect_timeout * 1e9);
    if (status == CORM_OK) {
        const corm_url *copy = settings->url;
        settings->host = copy->host;
        settings->user = copy->username;
        settings->password = copy->password;
        settings->database = copy->database;
        settings->port = (unsigned int)copy->port;
        for (size_t i = 0; i < copy->query_count && status == CORM_OK; i++) {
            status = read_setting(settings, copy->query[i].key, copy->query[i].value);
        }
    }
    if (status != CORM_OK) {
        settings_unref(settings);
        return status;
    }
    *out = settings;
    return CORM_OK;
}

/* ---- options of the client library ---- */

typedef struct text_option {
    const char *key;
    enum mysql_option option;
} text_option;

static const text_option text_options[] = {
    {"ssl_ca", MYSQL_OPT_SSL_CA},
    {"ssl_cert", MYSQL_OPT_SSL_CERT},
    {"ssl_key", MYSQL_OPT_SSL_KEY},
    {"ssl_capath", MYSQL_OPT_SSL_CAPATH},
    {"ssl_cipher", MYSQL_OPT_SSL_CIPHER},
    {"ssl_crl", MYSQL_OPT_SSL_CRL},
    {"tls_version", MARIADB_OPT_TLS_VERSION},
    {"init_command", MYSQL_INIT_COMMAND},
    {"read_default_file", MYSQL_READ_DEFAULT_FILE},
    {"read_default_group", MYSQL_READ_DEFAULT_GROUP},
    {"default_auth", MYSQL_DEFAULT_AUTH},
    {"plugin_dir", MYSQL_PLUGIN_DIR},
    {"bind_address", MYSQL_OPT_BIND},
    {"server_public_key_path", MYSQL_SERVER_PUBLIC_KEY},
};

static const char *const tls_keys[] = {"ssl",
                                       "ssl_ca",
                                       "ssl_cert",
                                       "ssl_key",
                                       "ssl_mode",
                                       "ssl_capath",
                                       "ssl_crl",
                                       "ssl_cipher",
                                       "ssl_verify_cert",
                                       "ssl_verify_identity",
                                       "ssl_check_hostname",
                                       NULL};
static const char *const verifying_keys[] = {"ssl_verify_cert", "ssl_verify_identity", "ssl_check_hostname", NULL};
/* What read_setting() took, and what is about Python objects. */
static const char *const other_keys[] = {"unix_socket",
                                         "connect_timeout",
                                         "read_timeout",
                                         "write_timeout",
                                         "charset",
                                         "user",
                                         "username",
                                         "password",
                                         "passwd",
                                         "host",
                                         "database",
                                         "db",
                                         "port",
                                         "use_unicode",
                                         "conv",
                                         "cursorclass",
                                         "autocommit",
                                         "client_flag",
                                         "binary_prefix",
                                         "raise_on_warnings",
                                         "program_name",
                                         "sql_mode",
                                         "auth_plugin_map",
                                         "defer_connect",
                                         "use_pure",
                                         "buffered",
                                         CORM_URL_SHARED,
                                         NULL};

/* DISABLED, PREFERRED, REQUIRED, VERIFY_CA, VERIFY_IDENTITY: as mysqlclient. */
static corm_status set_tls_mode(MYSQL *mysql, const char *mode) {
    my_bool verify = strcasecmp(mode, "VERIFY_CA") == 0 || strcasecmp(mode, "VERIFY_IDENTITY") == 0;
    my_bool enforce = verify || strcasecmp(mode, "REQUIRED") == 0 || strcasecmp(mode, "PREFERRED") == 0;
    if (!enforce && strcasecmp(mode, "DISABLED") != 0) {
        return corm_error_set(CORM_ARGUMENT_ERROR,
                              "URL argument ssl_mode: '%s' is none of DISABLED, PREFERRED, REQUIRED, VERIFY_CA, "
                              "VERIFY_IDENTITY",
                              mode);
    }
    mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
    mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    return CORM_OK;
}

static corm_status set_option(MYSQL *mysql, const char *key, const char *value) {
    for (size_t i = 0; i < sizeof text_options / sizeof *text_options; i++) {
        if (strcmp(text_options[i].key, key) == 0) {
            mysql_optionsv(mysql, text_options[i].option, value);
            return CORM_OK;
        }
    }
    my_bool on = (my_bool)is_true(value);
    unsigned int flag = on;
    if (strcmp(key, "ssl_mode") == 0) {
        return set_tls_mode(mysql, value);
    }
    if (strcmp(key, "ssl") == 0) {
        mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &on);
    } else if (strcmp(key, "ssl_disabled") == 0) {
        my_bool enforce = !on;
        mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
    } else if (is_among(key, verifying_keys)) {
        mysql_optionsv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on);
    } else if (strcmp(key, "compress") == 0 && on) {
        mysql_optionsv(mysql, MYSQL_OPT_COMPRESS, NULL);
    } else if (strcmp(key, "local_infile") == 0) {
        mysql_optionsv(mysql, MYSQL_OPT_LOCAL_INFILE, &flag);
    } else if (strcmp(key, "max_allowed_packet") == 0) {
        unsigned long bytes = strtoul(value, NULL, 10);
        mysql_optionsv(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &bytes);
    } else if (strcmp(key, "compress") != 0 && !is_among(key, other_keys)) {
        return corm_error_set(CORM_ARGUMENT_ERROR,
                              "URL argument '%s' is not known: see the page of MariaDB and MySQL for those that are",
                              key);
    }
    return CORM_OK;
}

/* A server chooses how it is told the password. It is not told it in the clear, unless TLS shows who it is, or that is what
 * was asked for. */
static void restrict_plugins(MYSQL *mysql, bool is_private) {
#if MARIADB_PACKAGE_VERSION_ID >= 30300
    static const char *const guarding = "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,"
                                        "parsec,auth_gssapi_client";
    if (!is_private) {
        mysql_optionsv(mysql, MARIADB_OPT_RESTRICTED_AUTH, guarding);
    }
#else
    (void)mysql;
    (void)is_private;
#endif
}

/* What the URL asks of the client library. A file or mode of TLS asks for TLS itself. */
static corm_status set_options(MYSQL *mysql, const corm_mysql_settings *settings) {
    const corm_url *url = settings->url;
    unsigned int no_files = 0;
    unsigned int over_tcp = MYSQL_PROTOCOL_TCP;
    my_bool enforce = 1, no_reconnect = 0;
    corm_status status = CORM_OK;
    if (settings->port != 0 && settings->unix_socket == NULL) { /* else "localhost" is a socket, of another server */
        mysql_optionsv(mysql, MYSQL_OPT_PROTOCOL, &over_tcp);
    }
    mysql_optionsv(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_optionsv(mysql, MYSQL_OPT_LOCAL_INFILE, &no_files);
    mysql_optionsv(mysql, MYSQL_OPT_RECONNECT, &no_reconnect);
    for (size_t i = 0; i < url->query_count; i++) {
        if (is_among(url->query[i].key, tls_keys) && strcmp(url->query[i].key, "ssl_mode") != 0 &&
            strcmp(url->query[i].key, "ssl") != 0) {
            mysql_optionsv(mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
        }
    }
    for (size_t i = 0; i < url->query_count && status == CORM_OK; i++) {
        status = set_option(mysql, url->query[i].key, url->query[i].value);
    }
    my_bool verified = 0;
    mysql_get_optionv(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verified);
    restrict_plugins(mysql, verified || corm_url_query(url, "default_auth") != NULL);
    return status;
}

/* The client library goes on in the clear when the server offers no TLS, unless a certificate was to be verified. */
static corm_status check_tls(MYSQL *mysql, const corm_url *url) {
    const char *mode = corm_url_query(url, "ssl_mode");
    my_bool enforced = 0;
    mysql_get_optionv(mysql, MYSQL_OPT_SSL_ENFORCE, &enforced);
    if (!enforced || mysql_get_ssl_cipher(mysql) != NULL || (mode != NULL && strcasecmp(mode, "PREFERRED") == 0)) {
        return CORM_OK;
    }
    corm_status status =
        corm_error_set(CORM_OPERATIONAL_ERROR, "TLS/SSL error: SSL is required, but the server does not offer it");
    corm_error_add_native(CR_SSL_CONNECTION_ERROR, "HY000");
    corm_error_add_driver(CORM_MYSQL_DRIVER);
    return status;
}

/* ---- opening and closing ---- */

/* The library blocks while it resolves a name: it gets the address, where there is one. Where there are several it tries
 * them all, and where it verifies the server it needs the name: then it resolves once more what was found just now. */
static corm_status resolve(corm_driver_connection *connection, corm_vector *addresses) {
    const corm_mysql_settings *settings = connection->settings;
    const char *host = settings->host;
    bool by_socket = settings->unix_socket != NULL || host == NULL || host[0] == '\0' ||
                     (settings->port == 0 && strcasecmp(host, "localhost") == 0);
    if (by_socket || corm_is_address(host)) {
        return CORM_OK;
    }
    corm_status status = corm_resolve(host, connection->deadline, addresses);
    if (status == CORM_TIMEOUT) {
        status =
            corm_error_set(CORM_OPERATIONAL_ERROR,
                           "Can't connect to server on '%s': its name was not resolved within connect_timeout", host);
        corm_error_add_native(CR_CONN_HOST_ERROR, "HY000");
    } else if (status == CORM_OPERATIONAL_ERROR) {
        status = corm_error_set(CORM_OPERATIONAL_ERROR, "Unknown server host '%s' (%d)", host,
                                corm_error_last()->native_code);
        corm_error_add_native(CR_UNKNOWN_HOST, "HY000");
    }
    if (status != CORM_OK) {
        corm_error_add_driver(CORM_MYSQL_DRIVER);
    }
    return status;
}

static corm_status connect_resolved(corm_driver_connection *connection) {
    corm_vector addresses = {0};
    my_bool verified = 0;
    corm_status status = resolve(connection, &addresses);
    if (status == CORM_OK) {
        mysql_get_optionv(connection->mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verified);
        bool by_address = addresses.count == 1 && !verified;
        status = corm_mysql_call_connect(connection, by_address ? addresses.items[0] : connection->settings->host);
    }
    corm_error reason;
    corm_error_take(&reason);
    corm_addresses_free(&addresses);
    corm_error_restore(&reason);
    return status;
}

static void start_library(void) {
    mysql_server_init(0, NULL, NULL);
}

static corm_status open_connection(corm_driver_connection *connection) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
    const corm_mysql_settings *settings = connection->settings;
    connection->mysql = mysql_init(NULL);
    if (connection->mysql == NULL) {
        return corm_error_no_memory();
    }
    corm_status status = set_options(connection->mysql, settings);
    if (status == CORM_OK) {
        mysql_optionsv(connection->mysql, MYSQL_OPT_NONBLOCK, 0);
        mysql_optionsv(connection->mysql, MYSQL_INIT_COMMAND, first_command);
        connection->deadline = settings->connect_timeout > 0 ? corm_clock_now() + settings->connect_timeout : -1;
        status = connect_resolved(connection);
        connection->deadline = 0;
    }
    status = status == CORM_OK ? check_tls(connection->mysql, settings->url) : status;
    connection->is_mariadb = status == CORM_OK && mariadb_connection(connection->mysql);
    return status;
}

corm_status corm_mysql_connect(const corm_url *url, corm_driver_connection **out) {
    *out = NULL;
    corm_mysql_settings *settings;
    corm_status status = read_settings(url, &settings);
    if (status != CORM_OK) {
        return status;
    }
    corm_driver_connection *connection = corm_calloc(1, sizeof *connection);
    if (connection == NULL) {
        settings_unref(settings);
        return CORM_NO_MEMORY;
    }
    connection->settings = settings;
    status = open_connection(connection);
    if (status != CORM_OK) {
        corm_error reason;
        corm_error_take(&reason);
        corm_mysql_close(connection);
        corm_error_restore(&reason);
        return status;
    }
    *out = connection;
    return CORM_OK;
}

/* Statements that are still there learn that their connection is gone. */
static void detach_statements(corm_driver_connection *connection) {
    while (connection->statements != NULL) {
        corm_mysql_finalize(connection->statements);
    }
}

void corm_mysql_close(corm_driver_connection *connection) {
    if (connection == NULL) {
        return;
    }
    detach_statements(connection);
    if (connection->mysql != NULL) {
        corm_wait_begin();
        mysql_close(connection->mysql);
        corm_wait_end();
    }
    settings_unref(connection->settings);
    corm_free(connection);
}

/* A forked child: the library would say good-bye to the parent's server, so its memory is left as it is. */
void corm_mysql_abandon(corm_driver_connection *connection) {
    close((int)mysql_get_socket(connection->mysql));
    settings_unref(connection->settings);
    corm_free(connection);
}

/* ---- cancelling ---- */

typedef struct cancel_request {
    corm_mysql_settings *settings; /* a reference */
    unsigned long thread;          /* the server's number for the connection */
    int done;                      /* told when the server answered */
} cancel_request;

static void request_free(cancel_request *request) {
    if (request != NULL) {
        settings_unref(request->settings);
        if (request->done >= 0) {
            close(request->done);
        }
        corm_free(request);
    }
}

static bool kill_query(const cancel_request *request) {
    const corm_mysql_settings *settings = request->settings;
    MYSQL *mysql = mysql_init(NULL);
    bool sent = false;
    if (mysql != NULL && set_options(mysql, settings) == CORM_OK) {
        char sql[64];
        int size = snprintf(sql, sizeof sql, "KILL QUERY %lu", request->thread);
        mysql_optionsv(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &cancel_timeout);
        mysql_optionsv(mysql, MYSQL_OPT_READ_TIMEOUT, &cancel_timeout);
        sent = mysql_real_connect(mysql, settings->host, settings->user, settings->password, settings->database,
                                  settings->port, settings->unix_socket, 0) != NULL &&
               check_tls(mysql, settings->url) == CORM_OK && mysql_real_query(mysql, sql, (unsigned long)size) == 0;
    }
    mysql_close(mysql);
    return sent;
}

static void *send_request(void *context) {
    cancel_request *request = context;
    const uint64_t one = 1;
    if (kill_query(request) && request->done >= 0 && write(request->done, &one, sizeof one) < 0) {
        /* the other side waits until its patience ends, and closes the connection */
    }
    request_free(request);
    corm_error_clear();
    return NULL;
}

static cancel_request *request_new(corm_driver_connection *connection, int done) {
    cancel_request *request = corm_calloc(1, sizeof *request);
    if (request != NULL) {
        request->settings = connection->settings;
        atomic_fetch_add_explicit(&connection->settings->references, 1, memory_order_relaxed);
        request->thread = mysql_thread_id(connection->mysql);
        request->done = done < 0 ? -1 : dup(done);
    }
    return request;
}

/* Signals are for the other threads. */
static bool start_thread(cancel_request *request) {
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    if (request == NULL || pthread_attr_init(&attributes) != 0) {
        return false;
    }
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, &attributes, send_request, request) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

static bool request_cancel(corm_driver_connection *connection, int done) {
    corm_error pending;
    corm_error_take(&pending);
    cancel_request *request = request_new(connection, done);
    bool started = start_thread(request);
    if (!started) {
        request_free(request);
    }
    corm_error_restore(&pending);
    return started;
}

void corm_mysql_interrupt(corm_driver_connection *connection) {
    request_cancel(connection, -1);
}

int corm_mysql_send_cancel(corm_driver_connection *connection) {
    int done = eventfd(0, EFD_CLOEXEC);
    if (done >= 0 && !request_cancel(connection, done)) {
        close(done);
        done = -1;
    }
    return done;
}
