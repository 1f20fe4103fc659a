/* Names of hosts are resolved on a thread: the one that waits is not held by a resolver that hangs. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/resolve.h"
#include "base/wait.h"

enum { MILLISECOND = 1000000 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool hangs, left;

/* Hangs until it is let go, then finds what the system finds for an address. */
static int slow_resolver(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
    (void)host;
    pthread_mutex_lock(&lock);
    while (hangs) {
        pthread_cond_wait(&changed, &lock);
    }
    left = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return getaddrinfo("127.0.0.1", service, hints, out);
}

static int lost_resolver(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out) {
    (void)host, (void)service, (void)hints, (void)out;
    return EAI_AGAIN;
}

static void addresses_are_found(void **state) {
    (void)state;
    corm_vector addresses = {0};
    assert_int_equal(corm_resolve("localhost", -1, &addresses), CORM_OK);
    assert_true(addresses.count > 0);
    for (size_t i = 0; i < addresses.count; i++) {
        assert_true(corm_is_address(addresses.items[i]));
    }
    corm_addresses_free(&addresses);
}

static void what_is_an_address_is_known(void **state) {
    (void)state;
    assert_true(corm_is_address("127.0.0.1") && corm_is_address("::1") && corm_is_address("fe80::1%eth0"));
    assert_false(corm_is_address("localhost") || corm_is_address("") || corm_is_address("1.2.3.4.example.com"));
}

static void a_name_that_is_not_found_is_an_error_with_the_resolvers_words(void **state) {
    (void)state;
    corm_vector addresses = {0};
    corm_resolve_with(lost_resolver);
    assert_int_equal(corm_resolve("nowhere", -1, &addresses), CORM_OPERATIONAL_ERROR);
    assert_non_null(strstr(corm_error_last()->message, "could not translate host name \"nowhere\""));
    assert_int_equal(corm_error_last()->native_code, EAI_AGAIN);
    assert_int_equal(addresses.count, 0);
    corm_resolve_with(NULL);
    corm_error_clear();
}

static void a_resolver_that_hangs_is_left_behind_in_time(void **state) {
    (void)state;
    corm_vector addresses = {0};
    hangs = true;
    left = false;
    corm_resolve_with(slow_resolver);
    assert_int_equal(corm_resolve("slow", corm_clock_now() + 20 * MILLISECOND, &addresses), CORM_TIMEOUT);
    assert_int_equal(addresses.count, 0);
    corm_error_clear();
    pthread_mutex_lock(&lock);
    hangs = false;
    pthread_cond_broadcast(&changed);
    while (!left) { /* it ends by itself, and frees what it had */
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
    assert_int_equal(corm_resolve("slow", -1, &addresses), CORM_OK);
    assert_int_equal(addresses.count, 1);
    assert_string_equal(addresses.items[0], "127.0.0.1");
    corm_addresses_free(&addresses);
    corm_resolve_with(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_found),
        cmocka_unit_test(what_is_an_address_is_known),
        cmocka_unit_test(a_name_that_is_not_found_is_an_error_with_the_resolvers_words),
        cmocka_unit_test(a_resolver_that_hangs_is_left_behind_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
