/* Database URLs: what is rendered says the same as what was parsed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/url.h"

static void renders_as(const char *text, const char *expected) {
    corm_url *url;
    corm_text rendered = CORM_TEXT_EMPTY;
    assert_int_equal(corm_url_parse(text, &url), CORM_OK);
    corm_url_render(url, false, &rendered);
    assert_string_equal(rendered.data, expected);
    corm_text_clear(&rendered);
    corm_url_free(url);
}

static void an_escaped_host_stays_escaped(void **state) {
    (void)state;
    renders_as("postgresql://u@%2Frun%2Fsocket/db", "postgresql://u@%2Frun%2Fsocket/db");
    renders_as("postgresql://[::1]:5432/db", "postgresql://[::1]:5432/db");
    renders_as("postgresql://a%5Db/db", "postgresql://a%5Db/db");
}

static void what_is_escaped_in_a_path_comes_out_escaped(void **state) {
    (void)state;
    renders_as("sqlite:///a%3Fb%2520c d%00", "sqlite:///a%3Fb%2520c d%2500");
    corm_url *url;
    assert_int_equal(corm_url_parse("sqlite:///a%3Fb%2520c%41", &url), CORM_OK);
    assert_string_equal(url->database, "a?b%20cA");
    corm_url_free(url);
    assert_int_equal(corm_url_parse("mysql://::1:3306/x", &url), CORM_ARGUMENT_ERROR);
    assert_non_null(strstr(corm_error_last()->message, "brackets"));
}

static void text_between_bracket_and_port_is_refused(void **state) {
    corm_url *url;
    (void)state;
    assert_int_equal(corm_url_parse("postgresql://[::1]x:5432/db", &url), CORM_ARGUMENT_ERROR);
    assert_non_null(strstr(corm_error_last()->message, "closing bracket"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_escaped_host_stays_escaped),
        cmocka_unit_test(what_is_escaped_in_a_path_comes_out_escaped),
        cmocka_unit_test(text_between_bracket_and_port_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
