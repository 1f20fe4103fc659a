/* Columns: every type goes to the file and comes back, NULL and extremes included; what a text field may point to. */
#include <float.h>
#include <math.h>

#include "differences.h"

static nullable *new_nullable(void) {
    return there(corm_new(now.session, nullable));
}

static void fields_that_are_not_set_are_null_in_the_file(void **state) {
    (void)state;
    new_nullable();
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT * FROM nullable"), "1,-,-,-,-,-,-,-,-,-,-,-");
    reopen();
    nullable *read = there(corm_get(now.session, nullable, 1));
    assert_false(read->whole.set || read->real.set || read->flag.set || read->money.set);
    assert_false(read->day.set || read->clock.set || read->at.set);
    assert_null(read->string);
    assert_null(read->text);
    assert_null(read->bytes.data);
    assert_null(read->exact);
}

static corm_moment moment(int year, int month, int day, int hour, int minute, int second, int32_t microsecond) {
    return (corm_moment){.set = true,
                         .value = {.year = (int16_t)year,
                                   .month = (uint8_t)month,
                                   .day = (uint8_t)day,
                                   .hour = (uint8_t)hour,
                                   .minute = (uint8_t)minute,
                                   .second = (uint8_t)second,
                                   .microsecond = microsecond}};
}

static void every_type_comes_back_as_it_went(void **state) {
    (void)state;
    nullable *made = new_nullable();
    made->whole = corm_int_of(42);
    made->real = corm_float_of(0.1);
    made->flag = corm_bool_of(true);
    made->string = text_of("na\xc3\xafve");
    made->text = text_of("two\nlines");
    made->bytes = (corm_bytes){"a\0b\xff", 4};
    made->exact = text_of("12345678901234567890.0123456789");
    made->money = corm_float_of(12.5);
    made->day = moment(2024, 2, 29, 0, 0, 0, 0);
    made->clock = moment(0, 0, 0, 23, 59, 59, 999999);
    made->at = moment(1, 1, 1, 0, 0, 0, 1);
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file(on("SELECT whole, real, flag, hex(bytes), day, clock, at FROM nullable",
                                        "SELECT whole, real, flag::int, upper(encode(bytes, 'hex')), day, clock, at "
                                        "FROM nullable",
                                        "SELECT whole, \"real\", flag, hex(bytes), day, clock, at FROM nullable")),
                        "42,0.1,1,610062FF,2024-02-29,23:59:59.999999,0001-01-01 00:00:00.000001");
    reopen();
    nullable *read = there(corm_get(now.session, nullable, 1));
    assert_true(read->whole.set && read->whole.value == 42);
    assert_true(read->real.set && read->real.value == 0.1);
    assert_true(read->flag.set && read->flag.value);
    assert_string_equal(read->string, "na\xc3\xafve");
    assert_string_equal(read->text, "two\nlines");
    assert_int_equal(read->bytes.size, 4);
    assert_memory_equal(read->bytes.data, "a\0b\xff", 4);
    assert_true(read->money.set && read->money.value == 12.5);
    assert_true(read->day.set && read->day.value.year == 2024 && read->day.value.month == 2);
    assert_true(read->clock.set && read->clock.value.hour == 23 && read->clock.value.microsecond == 999999);
    assert_true(read->at.set && read->at.value.year == 1 && read->at.value.microsecond == 1);
}

static void extremes_fit(void **state) {
    (void)state;
    plain *low = there(corm_new(now.session, plain));
    *low = (plain){.id = INT64_MIN,
                   .middle = INT32_MIN,
                   .small = INT16_MIN,
                   .real = -DBL_MAX,
                   .at = {.year = 1, .month = 1, .day = 1}};
    plain *high = there(corm_new(now.session, plain));
    *high = (plain){
        .id = INT64_MAX,
        .middle = INT32_MAX,
        .small = INT16_MAX,
        .flag = true,
        .real = DBL_MIN,
        .at = {.year = 9999, .month = 12, .day = 31, .hour = 23, .minute = 59, .second = 59, .microsecond = 999999}};
    ok(corm_commit(now.session));
    reopen();
    low = there(corm_get(now.session, plain, INT64_MIN));
    assert_true(low->middle == INT32_MIN && low->small == INT16_MIN && low->real == -DBL_MAX && !low->flag);
    high = there(corm_get(now.session, plain, INT64_MAX));
    assert_true(high->middle == INT32_MAX && high->small == INT16_MAX && high->real == DBL_MIN && high->flag);
    assert_int_equal(high->at.year, 9999);
    assert_int_equal(high->at.microsecond, 999999);
}

static void empty_is_not_null(void **state) {
    (void)state;
    nullable *made = new_nullable();
    made->string = text_of("");
    made->bytes = (corm_bytes){"", 0};
    made->whole = corm_int_of(0);
    made->flag = corm_bool_of(false);
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file(on("SELECT whole, flag, string, typeof(bytes), length(bytes) FROM nullable",
                                        "SELECT whole, flag::int, string, 'blob', length(bytes) FROM nullable",
                                        "SELECT whole, flag, string, 'blob', length(bytes) FROM nullable")),
                        "0,0,,blob,0");
    reopen();
    nullable *read = there(corm_get(now.session, nullable, 1));
    assert_true(read->whole.set && read->flag.set);
    assert_string_equal(read->string, "");
    assert_non_null(read->bytes.data);
    assert_int_equal(read->bytes.size, 0);
}

static void infinities_stay_and_not_a_number_becomes_null(void **state) {
    (void)state;
    nullable *made = new_nullable();
    made->real = corm_float_of(INFINITY);
    nullable *other = new_nullable();
    other->real = corm_float_of(NAN); /* SQLite has no NaN: it stores NULL */
    ok(corm_commit(now.session));
    reopen();
    assert_true(isinf(((nullable *)there(corm_get(now.session, nullable, 1)))->real.value));
    assert_false(((nullable *)there(corm_get(now.session, nullable, 2)))->real.set);
}

static void values_that_a_field_cannot_hold_are_refused_by_name(void **state) {
    (void)state;
    change_file("INSERT INTO plain VALUES (1, 2147483648, 0, 0, 0, 0, '2024-01-01 00:00:00')");
    assert_null(corm_get(now.session, plain, 1));
    failed_with(CORM_VALUE_ERROR, "plain.middle");
    ok(corm_rollback(now.session));
    change_file("UPDATE plain SET middle = 1, small = 40000");
    assert_null(corm_get(now.session, plain, 1));
    failed_with(CORM_VALUE_ERROR, "plain.small");
    ok(corm_rollback(now.session));
    change_file("UPDATE plain SET small = 'many'");
    assert_null(corm_get(now.session, plain, 1));
    failed_with(CORM_VALUE_ERROR, "plain.small");
    ok(corm_rollback(now.session));
    change_file("UPDATE plain SET small = 1, at = 'yesterday'");
    assert_null(corm_get(now.session, plain, 1));
    failed_with(CORM_VALUE_ERROR, "yesterday");
    ok(corm_rollback(now.session));
    change_file("UPDATE plain SET at = '2024-01-01 00:00:00'");
    assert_int_equal(((plain *)there(corm_get(now.session, plain, 1)))->middle, 1);
}

static void dates_out_of_range_are_refused(void **state) {
    (void)state;
    nullable *made = new_nullable();
    made->day = moment(2023, 2, 29, 0, 0, 0, 0);
    fails(corm_flush(now.session), CORM_STATEMENT_ERROR, "no such date: year 2023, month 2, day 29");
    ok(corm_rollback(now.session));
    made = new_nullable();
    made->clock = moment(0, 0, 0, 24, 0, 0, 0);
    fails(corm_flush(now.session), CORM_STATEMENT_ERROR, "no such time: year 0, month 0, day 0, time 24:00:00");
    ok(corm_rollback(now.session));
    made = new_nullable();
    made->at = moment(10000, 1, 1, 0, 0, 0, 0);
    fails(corm_flush(now.session), CORM_STATEMENT_ERROR, "year 10000, month 1");
    ok(corm_rollback(now.session));
    assert_int_equal(in_file("SELECT count(*) FROM nullable"), 0);
}

/* ---- texts: you may assign any pointer that lives until the flush ---- */

static void a_flush_copies_the_text_and_points_the_field_at_its_copy(void **state) {
    (void)state;
    char buffer[] = "first";
    user *made = new_user(buffer);
    assert_ptr_equal(made->name, buffer);
    ok(corm_flush(now.session));
    assert_ptr_not_equal(made->name, buffer);
    memset(buffer, 'x', sizeof buffer - 1);
    assert_string_equal(made->name, "first");
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users"), "first");
}

static void assigning_an_equal_text_writes_nothing(void **state) {
    (void)state;
    user *made = new_user("same");
    ok(corm_commit(now.session));
    char copy[] = "same";
    made->name = copy;
    change_file("UPDATE users SET name = 'other'");
    ok(corm_commit(now.session)); /* an UPDATE would bring 'same' back */
    assert_string_equal(rows_in_file("SELECT name FROM users"), "other");
    assert_ptr_not_equal(made->name, copy);
}

static void a_text_may_be_another_objects(void **state) {
    (void)state;
    user *first = new_user("shared"), *second = new_user(NULL);
    ok(corm_flush(now.session));
    second->name = first->name;
    first->name = NULL;
    ok(corm_flush(now.session));
    assert_string_equal(second->name, "shared");
    assert_null(first->name);
    first->name = second->name;
    second->name = text_of("own");
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name FROM users ORDER BY id"), "shared; own");
}

static void a_text_may_be_part_of_the_objects_own(void **state) {
    (void)state;
    user *made = new_user("Mr. Smith");
    ok(corm_flush(now.session));
    made->name += 4; /* inside the library's copy: valid until the flush, which replaces it */
    ok(corm_commit(now.session));
    assert_string_equal(made->name, "Smith");
    assert_string_equal(rows_in_file("SELECT name FROM users"), "Smith");
}

static void long_texts_and_bytes_come_back(void **state) {
    (void)state;
    size_t size = 3000000;
    char *long_text = malloc(size + 1);
    memset(long_text, 'a', size);
    long_text[size] = '\0';
    nullable *made = new_nullable();
    made->text = long_text;
    made->bytes = (corm_bytes){long_text, size};
    ok(corm_commit(now.session));
    reopen();
    nullable *read = there(corm_get(now.session, nullable, 1));
    assert_string_equal(read->text, long_text);
    assert_int_equal(read->bytes.size, size);
    free(long_text);
}

static void only_changed_columns_are_written(void **state) {
    (void)state;
    user *made = new_user("Ann");
    made->age = corm_int_of(30);
    ok(corm_commit(now.session));
    change_file("UPDATE users SET name = 'changed elsewhere'");
    made->age.value = 31;
    ok(corm_commit(now.session));
    assert_string_equal(rows_in_file("SELECT name, age FROM users"), "changed elsewhere,31");
}

static void numbers_stay_exact_in_texts(void **state) {
    (void)state;
    nullable *made = new_nullable();
    made->exact = text_of("0.10");
    ok(corm_commit(now.session));
    reopen();
    nullable *read = there(corm_get(now.session, nullable, 1));
    assert_true(strtod(read->exact, NULL) == 0.1);
    made = new_nullable();
    made->exact = text_of("no number");
    fails(corm_flush(now.session), database_now()->kind == ON_POSTGRESQL ? CORM_DATA_ERROR : CORM_STATEMENT_ERROR,
          "no number");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        story(fields_that_are_not_set_are_null_in_the_file),
        story(every_type_comes_back_as_it_went),
        story(extremes_fit),
        story(empty_is_not_null),
        story(infinities_stay_and_not_a_number_becomes_null),
        story(values_that_a_field_cannot_hold_are_refused_by_name),
        story(dates_out_of_range_are_refused),
        story(a_flush_copies_the_text_and_points_the_field_at_its_copy),
        story(assigning_an_equal_text_writes_nothing),
        story(a_text_may_be_another_objects),
        story(a_text_may_be_part_of_the_objects_own),
        story(long_texts_and_bytes_come_back),
        story(only_changed_columns_are_written),
        story(numbers_stay_exact_in_texts),
    };
    return run_stories(tests);
}
