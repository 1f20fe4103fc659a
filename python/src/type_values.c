/*
 * Values of types that are more than plain ones: see type_values.h. Whether a type's values are converted here, and how,
 * is decided when the type is made; per value nothing is looked up by name.
 */
#include "type_values.h"

#include <datetime.h>
#include <math.h>
#include <string.h>

#include "type/datetime.h"
#include "type/interval.h"
#include "type/items.h"
#include "values.h"

static PyObject *uuid_type, *safe_unknown, *name_int, *name_is_safe, *name_hex;
static PyObject *json_loads, *json_dumps, *decimal_type, *range_type, *multirange_type, *range_maker, *address_module;
static PyObject *json_null; /* JSON.NULL */
static PyObject *epoch;     /* 1970-01-01 00:00 */

/* What is imported when it is first needed; borrowed, NULL raised. */
static PyObject *imported(PyObject **place, const char *module_name, const char *name) {
    if (*place == NULL) {
        PyObject *module = PyImport_ImportModule(module_name);
        *place = module == NULL || name == NULL ? Py_XNewRef(module) : corm_py_get(module, name);
        Py_XDECREF(module);
    }
    return *place;
}

static PyObject *text_of(const char *text, size_t size) {
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)size, "strict");
}

static PyObject *bad_value(const char *what, PyObject *value) {
    PyErr_Format(PyExc_ValueError, "%s: %.200R", what, value);
    return NULL;
}

/* ---- UUIDs ---- */

static int hex_digit(Py_UCS4 c) {
    return c >= '0' && c <= '9'   ? (int)c - '0'
           : c >= 'a' && c <= 'f' ? (int)c - 'a' + 10
           : c >= 'A' && c <= 'F' ? (int)c - 'A' + 10
                                  : -1;
}

/* 32 hexadecimal digits with hyphens anywhere; false: it is none. */
static bool read_uuid(const char *text, size_t size, unsigned char bytes[16]) {
    size_t digits = 0;
    memset(bytes, 0, 16);
    for (size_t i = 0; i < size; i++) {
        int value = hex_digit((unsigned char)text[i]);
        if (text[i] == '-') {
            continue;
        }
        if (value < 0 || digits == 32) {
            return false;
        }
        bytes[digits / 2] = (unsigned char)(bytes[digits / 2] << 4 | value);
        digits++;
    }
    return digits == 32;
}

/* The object without its constructor, which is slow: its slots hold a number, and that nothing is known of its making. */
static PyObject *make_uuid(const unsigned char bytes[16]) {
    if (imported(&uuid_type, "uuid", "UUID") == NULL) {
        return NULL;
    }
    if (safe_unknown == NULL) {
        PyObject *safe = NULL;
        PyObject *kinds = imported(&safe, "uuid", "SafeUUID");
        safe_unknown = kinds == NULL ? NULL : corm_py_get(kinds, "unknown");
        Py_XDECREF(safe);
    }
    PyTypeObject *cls = (PyTypeObject *)uuid_type;
    PyObject *made = safe_unknown == NULL ? NULL : cls->tp_alloc(cls, 0);
    PyObject *number = made == NULL ? NULL : _PyLong_FromByteArray(bytes, 16, 0, 0);
    if (number == NULL || PyObject_GenericSetAttr(made, name_int, number) < 0 ||
        PyObject_GenericSetAttr(made, name_is_safe, safe_unknown) < 0) {
        Py_CLEAR(made);
    }
    Py_XDECREF(number);
    return made;
}

static PyObject *uuid_text(const unsigned char bytes[16]) {
    static const char digits[] = "0123456789abcdef";
    char text[36], *at = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *at++ = '-';
        }
        *at++ = digits[bytes[i] >> 4];
        *at++ = digits[bytes[i] & 15];
    }
    return PyUnicode_FromStringAndSize(text, sizeof text);
}

static PyObject *uuid_from_text(PyObject *text, bool as_object) {
    unsigned char bytes[16];
    Py_ssize_t size;
    const char *data = PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;
    if (data == NULL && PyErr_Occurred() != NULL) {
        return NULL;
    }
    if (data == NULL || !read_uuid(data, (size_t)size, bytes)) {
        return bad_value("badly formed hexadecimal UUID string", text);
    }
    return as_object ? make_uuid(bytes) : uuid_text(bytes);
}

/* ---- intervals ---- */

/* A year is 365 days and a month 30, as psycopg has it. */
static PyObject *interval_from_text(const char *text, size_t size) {
    corm_interval interval;
    if (corm_interval_parse(text, size, &interval) != CORM_OK) {
        return corm_py_raise();
    }
    int64_t days = interval.days + interval.months / 12 * 365 + interval.months % 12 * 30;
    int64_t seconds = interval.microseconds / 1000000;
    days += seconds / 86400;
    if (days > 999999999 || days < -999999999) {
        PyErr_SetString(PyExc_OverflowError, "an interval has more than 999999999 days");
        return NULL;
    }
    return PyDelta_FromDSU((int)days, (int)(seconds % 86400), (int)(interval.microseconds % 1000000));
}

static PyObject *interval_text(PyObject *delta) {
    corm_interval interval = {.days = PyDateTime_DELTA_GET_DAYS(delta),
                              .microseconds = PyDateTime_DELTA_GET_SECONDS(delta) * INT64_C(1000000) +
                                              PyDateTime_DELTA_GET_MICROSECONDS(delta)};
    char room[CORM_INTERVAL_MAX];
    return PyUnicode_FromStringAndSize(room, (Py_ssize_t)corm_interval_format(&interval, room));
}

static PyObject *get_epoch(void) {
    if (epoch == NULL) {
        epoch = PyDateTimeAPI->DateTime_FromDateAndTime(1970, 1, 1, 0, 0, 0, 0, Py_None, PyDateTimeAPI->DateTimeType);
    }
    return epoch;
}

static PyObject *interval_result(PyObject *plain) {
    if (PyUnicode_Check(plain)) {
        Py_ssize_t size;
        const char *text = PyUnicode_AsUTF8AndSize(plain, &size);
        return text == NULL ? NULL : interval_from_text(text, (size_t)size);
    }
    if (!PyDateTime_Check(plain)) {
        return Py_NewRef(plain);
    }
    return get_epoch() == NULL ? NULL : PyNumber_Subtract(plain, epoch);
}

static PyObject *interval_bind(const CormPyType *type, PyObject *object) {
    if (type->type->kind == CORM_TYPE_OWN) {
        return PyDelta_Check(object) ? interval_text(object) : Py_NewRef(object);
    }
    return get_epoch() == NULL ? NULL : PyNumber_Add(epoch, object);
}

/* ---- leaves ---- */

static PyObject *integer_from(const char *text, size_t size) {
    int64_t number = 0;
    bool negative = size > 0 && *text == '-', fits = size > (size_t)negative;
    for (size_t i = negative; i < size && fits; i++) {
        fits = text[i] >= '0' && text[i] <= '9' && !__builtin_mul_overflow(number, 10, &number) &&
               !(negative ? __builtin_sub_overflow(number, text[i] - '0', &number)
                          : __builtin_add_overflow(number, text[i] - '0', &number));
    }
    if (fits) {
        return PyLong_FromLongLong(number);
    }
    PyObject *object = text_of(text, size);
    PyObject *made = object == NULL ? NULL : PyLong_FromUnicodeObject(object, 10);
    Py_XDECREF(object);
    return made;
}

static PyObject *bytes_from(const char *text, size_t size) {
    if (size < 2 || text[0] != '\\' || text[1] != 'x' || size % 2 != 0) {
        PyErr_SetString(PyExc_ValueError, "the server sent a malformed bytea");
        return NULL;
    }
    PyObject *made = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(size / 2 - 1));
    for (size_t i = 2; made != NULL && i + 1 < size; i += 2) {
        int high = hex_digit((unsigned char)text[i]), low = hex_digit((unsigned char)text[i + 1]);
        if (high < 0 || low < 0) {
            Py_DECREF(made);
            PyErr_SetString(PyExc_ValueError, "the server sent a malformed bytea");
            return NULL;
        }
        PyBytes_AS_STRING(made)[i / 2 - 1] = (char)(high << 4 | low);
    }
    return made;
}

static PyObject *moment_from(corm_kind kind, const char *text, size_t size) {
    corm_value value;
    if (corm_datetime_parse(kind, text, size, &value) != CORM_OK) {
        return corm_py_raise();
    }
    return corm_py_from_value(&value, NULL);
}

static PyObject *called_with_text(PyObject *callable, const char *text, size_t size) {
    PyObject *object = callable == NULL ? NULL : text_of(text, size);
    PyObject *made = object == NULL ? NULL : PyObject_CallOneArg(callable, object);
    Py_XDECREF(object);
    return made;
}

static PyObject *address_from(const char *text, size_t size, bool network) {
    if (imported(&address_module, "ipaddress", NULL) == NULL) {
        return NULL;
    }
    const char *name = network ? "ip_network" : memchr(text, '/', size) != NULL ? "ip_interface" : "ip_address";
    PyObject *callable = corm_py_get(address_module, name);
    PyObject *made = called_with_text(callable, text, size);
    Py_XDECREF(callable);
    return made;
}

static PyObject *float_from(const char *text, size_t size) {
    PyObject *object = text_of(text, size);
    PyObject *made = object == NULL ? NULL : PyFloat_FromString(object);
    Py_XDECREF(object);
    return made;
}

static PyObject *leaf_from(const char *text, size_t size, unsigned leaf) {
    unsigned char bytes[16];
    switch (leaf) {
    case CORM_FORM_BOOLEAN:
        return PyBool_FromLong(size > 0 && *text == 't');
    case CORM_FORM_INTEGER:
        return integer_from(text, size);
    case CORM_FORM_FLOAT:
        return float_from(text, size);
    case CORM_FORM_DECIMAL:
        return called_with_text(imported(&decimal_type, "decimal", "Decimal"), text, size);
    case CORM_FORM_BYTES:
        return bytes_from(text, size);
    case CORM_FORM_DATE:
        return moment_from(CORM_KIND_DATE, text, size);
    case CORM_FORM_TIME:
        return moment_from(CORM_KIND_TIME, text, size);
    case CORM_FORM_DATETIME:
        return moment_from(CORM_KIND_DATETIME, text, size);
    case CORM_FORM_INTERVAL:
        return interval_from_text(text, size);
    case CORM_FORM_UUID:
        return read_uuid(text, size, bytes) ? make_uuid(bytes) : text_of(text, size);
    case CORM_FORM_JSON:
        return called_with_text(imported(&json_loads, "json", "loads"), text, size);
    case CORM_FORM_ADDRESS:
    case CORM_FORM_NETWORK:
        return address_from(text, size, leaf == CORM_FORM_NETWORK);
    default:
        return text_of(text, size);
    }
}

/* ---- ranges ---- */

/* The classes of ranges, and a function that makes one of its parts. */
static int ranges_imported(void) {
    static const char module[] = "cormorant.dialects._ranges";
    return imported(&range_type, module, "Range") == NULL || imported(&multirange_type, module, "MultiRange") == NULL ||
                   imported(&range_maker, module, "_remake") == NULL
               ? -1
               : 0;
}

static PyObject *make_range(const corm_range *range, unsigned leaf) {
    char bounds[] = {range->lower_inclusive ? '[' : '(', range->upper_inclusive ? ']' : ')', '\0'};
    PyObject *lower = range->has_lower ? leaf_from(range->lower, range->lower_size, leaf) : Py_NewRef(Py_None);
    PyObject *upper = lower == NULL      ? NULL
                      : range->has_upper ? leaf_from(range->upper, range->upper_size, leaf)
                                         : Py_NewRef(Py_None);
    PyObject *made = NULL;
    PyObject *cls = upper == NULL ? NULL : ranges_imported() < 0 ? NULL : range_maker;
    if (cls != NULL) {
        made = PyObject_CallFunction(cls, "OOsO", lower, upper, range->empty ? "[)" : bounds,
                                     range->empty ? Py_True : Py_False);
    }
    Py_XDECREF(lower);
    Py_XDECREF(upper);
    return made;
}

static PyObject *range_from(const char *text, size_t size, unsigned leaf) {
    corm_text room = CORM_TEXT_EMPTY;
    corm_range range;
    PyObject *made =
        corm_range_parse(text, size, &room, &range) == CORM_OK ? make_range(&range, leaf) : corm_py_raise();
    corm_text_clear(&room);
    return made;
}

static PyObject *multirange_from(const char *text, size_t size, unsigned leaf) {
    PyObject *list = PyList_New(0);
    size_t at = 0, part_size;
    const char *part;
    bool found = true;
    while (list != NULL && found) {
        if (corm_multirange_next(text, size, &at, &part, &part_size, &found) != CORM_OK) {
            Py_DECREF(list);
            return corm_py_raise();
        }
        PyObject *range = found ? range_from(part, part_size, leaf) : NULL;
        if (found && (range == NULL || PyList_Append(list, range) < 0)) {
            Py_CLEAR(list);
        }
        Py_XDECREF(range);
    }
    PyObject *cls = list == NULL || ranges_imported() < 0 ? NULL : multirange_type;
    PyObject *made = cls == NULL ? NULL : PyObject_CallOneArg(cls, list);
    Py_XDECREF(list);
    return made;
}

/* ---- arrays ---- */

/* What items are: a type's values, or of a form. */
typedef struct item_kind {
    PyObject *type; /* borrowed, or NULL */
    unsigned form;
    bool as_tuple;
} item_kind;

static unsigned form_of_type(const corm_type *type) {
    switch (type->kind) {
    case CORM_TYPE_INTEGER:
    case CORM_TYPE_SMALL_INTEGER:
    case CORM_TYPE_BIG_INTEGER:
        return CORM_FORM_INTEGER;
    case CORM_TYPE_BOOLEAN:
        return CORM_FORM_BOOLEAN;
    case CORM_TYPE_FLOAT:
    case CORM_TYPE_NUMERIC:
        return type->as_decimal ? CORM_FORM_DECIMAL : CORM_FORM_FLOAT;
    case CORM_TYPE_BINARY:
        return CORM_FORM_BYTES;
    case CORM_TYPE_DATE:
        return CORM_FORM_DATE;
    case CORM_TYPE_TIME:
        return CORM_FORM_TIME;
    case CORM_TYPE_DATETIME:
        return CORM_FORM_DATETIME;
    default:
        return CORM_FORM_TEXT;
    }
}

static PyObject *item_from(const item_kind *kind, const char *text, size_t size) {
    PyObject *plain = corm_py_from_form(text, size, kind->form);
    PyObject *made = plain == NULL || kind->type == NULL ? Py_XNewRef(plain) : corm_py_type_result(kind->type, plain);
    Py_XDECREF(plain);
    return made;
}

/* Put an item into the innermost list; takes it over. */
static int put_item(PyObject **open, int depth, PyObject *item) {
    int status = item == NULL ? -1 : PyList_Append(open[depth - 1], item);
    Py_XDECREF(item);
    return status;
}

static PyObject *finished(const item_kind *kind, PyObject *list) {
    PyObject *made = kind->as_tuple ? PyList_AsTuple(list) : list;
    if (kind->as_tuple) {
        Py_DECREF(list);
    }
    return made;
}

/* One token of an array; *made is set by the last one. */
static int take_token(const item_kind *kind, corm_items *items, PyObject **open, int *depth, PyObject **made) {
    corm_item_token token;
    const char *text;
    size_t size;
    if (corm_items_next(items, &token, &text, &size) != CORM_OK) {
        return corm_py_raise_int();
    }
    switch (token) {
    case CORM_ITEM_OPEN:
        open[*depth] = PyList_New(0);
        return open[*depth] == NULL ? -1 : (++*depth, 0);
    case CORM_ITEM_CLOSE: {
        PyObject *closed = finished(kind, open[--*depth]);
        if (*depth > 0) {
            return put_item(open, *depth, closed);
        }
        *made = closed;
        return closed == NULL ? -1 : 0;
    }
    case CORM_ITEM_NULL:
        return put_item(open, *depth,
                        kind->type != NULL ? corm_py_type_result(kind->type, Py_None) : Py_NewRef(Py_None));
    case CORM_ITEM_TEXT:
        return put_item(open, *depth, item_from(kind, text, size));
    case CORM_ITEM_END:
        break;
    }
    return 1;
}

static PyObject *array_from(const char *text, size_t size, const item_kind *kind) {
    PyObject *open[CORM_ARRAY_DEPTH + 1] = {NULL}, *made = NULL;
    corm_items items;
    int depth = 0, status = 0;
    corm_items_open(text, size, &items);
    while (status == 0) {
        status = take_token(kind, &items, open, &depth, &made);
    }
    corm_items_close(&items);
    while (depth > 0) {
        Py_DECREF(open[--depth]);
    }
    if (status < 0) {
        Py_CLEAR(made);
    }
    return made;
}

PyObject *corm_py_from_form(const char *text, size_t size, unsigned form) {
    unsigned leaf = form & CORM_FORM_LEAF;
    if (form & CORM_FORM_ARRAY) {
        item_kind kind = {NULL, form & ~(unsigned)CORM_FORM_ARRAY, false};
        return array_from(text, size, &kind);
    }
    if (form & CORM_FORM_MULTIRANGE) {
        return multirange_from(text, size, leaf);
    }
    return form & CORM_FORM_RANGE ? range_from(text, size, leaf) : leaf_from(text, size, leaf);
}

/* ---- objects as texts ---- */

static int append_text(corm_text *out, PyObject *text, void (*append)(corm_text *, const char *, size_t)) {
    Py_ssize_t size;
    const char *data = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &size);
    if (data == NULL) {
        return -1;
    }
    append(out, data, (size_t)size);
    return corm_text_status(out) == CORM_OK ? 0 : corm_py_raise_int();
}

static PyObject *bytes_text(PyObject *object) {
    static const char digits[] = "0123456789abcdef";
    Py_ssize_t size = PyBytes_GET_SIZE(object);
    PyObject *made = PyUnicode_New(2 + 2 * size, 127);
    if (made == NULL) {
        return NULL;
    }
    Py_UCS1 *to = PyUnicode_1BYTE_DATA(made);
    to[0] = '\\';
    to[1] = 'x';
    for (Py_ssize_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)PyBytes_AS_STRING(object)[i];
        to[2 + 2 * i] = (Py_UCS1)digits[byte >> 4];
        to[3 + 2 * i] = (Py_UCS1)digits[byte & 15];
    }
    return made;
}

static PyObject *float_text(PyObject *object) {
    double real = PyFloat_AS_DOUBLE(object);
    if (isinf(real)) {
        return PyUnicode_FromString(real > 0 ? "Infinity" : "-Infinity");
    }
    return isnan(real) ? PyUnicode_FromString("NaN") : PyObject_Repr(object);
}

/* The text that a database reads for a plain object: new reference. */
static PyObject *plain_text(PyObject *object) {
    if (PyUnicode_Check(object)) {
        return Py_NewRef(object);
    }
    if (PyBool_Check(object)) {
        return PyUnicode_FromString(object == Py_True ? "t" : "f");
    }
    if (PyFloat_Check(object)) {
        return float_text(object);
    }
    if (PyBytes_Check(object)) {
        return bytes_text(object);
    }
    unsigned form;
    PyObject *text = corm_py_to_form(object, &form);
    return text == NULL && PyErr_Occurred() == NULL ? PyObject_Str(object) : text;
}

static int append_end(corm_text *out, PyObject *range, const char *name) {
    PyObject *end = corm_py_get(range, name);
    PyObject *text = end == NULL || end == Py_None ? NULL : plain_text(end);
    int status = end == NULL ? -1 : end == Py_None ? 0 : append_text(out, text, corm_range_append);
    Py_XDECREF(text);
    Py_XDECREF(end);
    return status;
}

static int append_range(corm_text *out, PyObject *range) {
    PyObject *empty = corm_py_get(range, "empty");
    PyObject *bounds = empty == NULL ? NULL : corm_py_get(range, "bounds");
    const char *marks = bounds == NULL ? NULL : PyUnicode_AsUTF8(bounds);
    int status = marks == NULL || strlen(marks) != 2 ? -1 : 0;
    if (status == 0 && PyObject_IsTrue(empty)) {
        corm_text_append(out, "empty");
    } else if (status == 0) {
        corm_text_append_char(out, marks[0]);
        status = append_end(out, range, "lower");
        corm_text_append_char(out, ',');
        status = status < 0 ? status : append_end(out, range, "upper");
        corm_text_append_char(out, marks[1]);
    } else if (PyErr_Occurred() == NULL) {
        PyErr_SetString(PyExc_ValueError, "a range's bounds are two brackets");
    }
    Py_XDECREF(bounds);
    Py_XDECREF(empty);
    return status;
}

static PyObject *taken_text(corm_text *text, int status) {
    PyObject *made = NULL;
    if (status == 0 && corm_text_status(text) != CORM_OK) {
        corm_py_raise();
    } else if (status == 0) {
        made = text_of(text->data == NULL ? "" : text->data, text->size);
    }
    corm_text_clear(text);
    return made;
}

static PyObject *range_text(PyObject *range) {
    corm_text text = CORM_TEXT_EMPTY;
    int status = append_range(&text, range);
    return taken_text(&text, status);
}

static PyObject *multirange_text(PyObject *ranges) {
    corm_text text = CORM_TEXT_EMPTY;
    PyObject *items = PySequence_Fast(ranges, "a multirange is a list of ranges");
    int status = items == NULL ? -1 : 0;
    corm_text_append_char(&text, '{');
    for (Py_ssize_t i = 0; status == 0 && i < PySequence_Fast_GET_SIZE(items); i++) {
        if (i > 0) {
            corm_text_append_char(&text, ',');
        }
        status = append_range(&text, PySequence_Fast_GET_ITEM(items, i));
    }
    corm_text_append_char(&text, '}');
    Py_XDECREF(items);
    return taken_text(&text, status);
}

static bool is_list(PyObject *object) {
    return PyList_Check(object) || PyTuple_Check(object);
}

/* Is the object an instance of Range or MultiRange? Never when their module was not imported by anybody. */
static bool is_a(PyObject *object, PyObject **cls, const char *name) {
    if (*cls == NULL && strcmp(Py_TYPE(object)->tp_name, name) == 0 && ranges_imported() < 0) {
        PyErr_Clear();
    }
    return *cls != NULL && PyObject_TypeCheck(object, (PyTypeObject *)*cls);
}

static bool is_multirange(PyObject *object) {
    return is_a(object, &multirange_type, "MultiRange");
}

static int append_item(corm_text *out, PyObject *type, PyObject *item) {
    PyObject *bound = type == NULL ? Py_NewRef(item) : corm_py_type_bind(type, item);
    PyObject *text = bound == NULL || bound == Py_None ? NULL : plain_text(bound);
    int status = bound == NULL ? -1 : 0;
    if (bound == Py_None) {
        corm_text_append(out, "NULL");
    } else if (status == 0) {
        status = append_text(out, text, corm_items_append);
    }
    Py_XDECREF(text);
    Py_XDECREF(bound);
    return status;
}

/* dimensions: so many more lists may follow in each other; what is a list below is an item. */
static int append_array(corm_text *out, PyObject *type, PyObject *list, int dimensions) {
    PyObject *items = PySequence_Tuple(list);
    int status = items == NULL ? -1 : 0;
    corm_text_append_char(out, '{');
    for (Py_ssize_t i = 0; status == 0 && i < PyTuple_GET_SIZE(items); i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);
        bool nested = dimensions > 1 && is_list(item) && !is_multirange(item);
        if (i > 0) {
            corm_text_append_char(out, ',');
        }
        status = nested ? append_array(out, type, item, dimensions - 1) : append_item(out, type, item);
    }
    corm_text_append_char(out, '}');
    Py_XDECREF(items);
    return status;
}

static PyObject *array_text(PyObject *type, PyObject *list, int dimensions) {
    corm_text text = CORM_TEXT_EMPTY;
    int status = append_array(&text, type, list, dimensions);
    return taken_text(&text, status);
}

/* Of which form are a list's items? As the first that says something does. */
static unsigned form_of_items(PyObject *list, int depth) {
    unsigned form = CORM_FORM_TEXT;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list); i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(list, i);
        if (is_list(item) && depth < CORM_ARRAY_DEPTH) {
            return form_of_items(item, depth + 1);
        }
        form = PyBool_Check(item)       ? CORM_FORM_BOOLEAN
               : PyLong_Check(item)     ? CORM_FORM_INTEGER
               : PyFloat_Check(item)    ? CORM_FORM_FLOAT
               : PyBytes_Check(item)    ? CORM_FORM_BYTES
               : PyDateTime_Check(item) ? CORM_FORM_DATETIME
               : PyDate_Check(item)     ? CORM_FORM_DATE
               : PyTime_Check(item)     ? CORM_FORM_TIME
               : PyDelta_Check(item)    ? CORM_FORM_INTERVAL
                                        : CORM_FORM_TEXT;
        if (item != Py_None) {
            break;
        }
    }
    return form;
}

static bool type_name_is(PyObject *object, const char *name) {
    return strcmp(Py_TYPE(object)->tp_name, name) == 0;
}

/* Addresses are known by their classes' names, so that programs without them import nothing. */
static bool is_address(PyObject *object, unsigned *form) {
    bool network = type_name_is(object, "IPv4Network") || type_name_is(object, "IPv6Network");
    *form = network ? CORM_FORM_NETWORK : CORM_FORM_ADDRESS;
    return network || type_name_is(object, "IPv4Address") || type_name_is(object, "IPv6Address") ||
           type_name_is(object, "IPv4Interface") || type_name_is(object, "IPv6Interface");
}

PyObject *corm_py_to_form(PyObject *object, unsigned *form) {
    *form = CORM_FORM_TEXT;
    if (PyDelta_Check(object)) {
        *form = CORM_FORM_INTERVAL;
        return interval_text(object);
    }
    if (is_multirange(object)) {
        *form = CORM_FORM_MULTIRANGE;
        return multirange_text(object);
    }
    if (is_list(object)) {
        *form = CORM_FORM_ARRAY | form_of_items(object, 0);
        return array_text(NULL, object, CORM_ARRAY_DEPTH);
    }
    if (is_a(object, &range_type, "Range")) {
        *form = CORM_FORM_RANGE;
        return range_text(object);
    }
    if (type_name_is(object, "UUID") && PyObject_HasAttr(object, name_hex)) {
        *form = CORM_FORM_UUID;
        return PyObject_Str(object);
    }
    return is_address(object, form) ? PyObject_Str(object) : NULL;
}

/* ---- JSON ---- */

static PyObject *json_bind(const CormPyType *type, PyObject *object) {
    if (json_null == NULL) {
        PyObject *cls = NULL;
        PyObject *found = imported(&cls, "cormorant.types", "JSON");
        json_null = found == NULL ? NULL : corm_py_get(found, "NULL");
        Py_XDECREF(cls);
        if (json_null == NULL) {
            return NULL;
        }
    }
    if (object == Py_None && type->data[0] == Py_True) {
        return Py_NewRef(Py_None);
    }
    if (object == Py_None || object == json_null) {
        return PyUnicode_FromString("null");
    }
    return imported(&json_dumps, "json", "dumps") == NULL ? NULL : PyObject_CallOneArg(json_dumps, object);
}

static PyObject *json_result(PyObject *plain) {
    return imported(&json_loads, "json", "loads") == NULL ? NULL : PyObject_CallOneArg(json_loads, plain);
}

/* ---- enumerations ---- */

static PyObject *enum_bind(CormPyType *type, PyObject *object) {
    PyObject *text = PyDict_GetItemWithError(type->data[0], object);
    if (text != NULL) {
        return Py_NewRef(text);
    }
    if (PyErr_Occurred() != NULL && !PyErr_ExceptionMatches(PyExc_TypeError)) {
        return NULL;
    }
    PyErr_Clear();
    return corm_py_call((PyObject *)type, "_bind_other", "O", object);
}

static PyObject *enum_result(CormPyType *type, PyObject *plain) {
    PyObject *object = PyDict_GetItemWithError(type->data[1], plain);
    if (object != NULL || PyErr_Occurred() != NULL) {
        return Py_XNewRef(object);
    }
    return corm_py_call((PyObject *)type, "_result_other", "O", plain);
}

/* ---- UUIDs of a type ---- */

static PyObject *uuid_bind(const CormPyType *type, PyObject *object) {
    if (type->data[0] == Py_True) {
        return PyObject_GetAttr(object, name_hex);
    }
    return corm_py_call(object, "replace", "ss", "-", "");
}

/* ---- hstore ---- */

static PyObject *hstore_from(const char *text, size_t size) {
    PyObject *dict = PyDict_New();
    corm_text room = CORM_TEXT_EMPTY;
    corm_pair pair;
    size_t at = 0;
    bool found = true;
    while (dict != NULL && found) {
        if (corm_hstore_next(text, size, &at, &room, &pair, &found) != CORM_OK) {
            corm_py_raise();
            Py_CLEAR(dict);
            break;
        }
        PyObject *key = found ? text_of(pair.key, pair.key_size) : NULL;
        PyObject *value = key == NULL          ? NULL
                          : pair.value != NULL ? text_of(pair.value, pair.value_size)
                                               : Py_NewRef(Py_None);
        if (found && (value == NULL || PyDict_SetItem(dict, key, value) < 0)) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    corm_text_clear(&room);
    return dict;
}

static void append_quoted_part(corm_text *out, const char *part, size_t size) {
    corm_text_append_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        if (part[i] == '"' || part[i] == '\\') {
            corm_text_append_char(out, '\\');
        }
        corm_text_append_char(out, part[i]);
    }
    corm_text_append_char(out, '"');
}

static int append_pair(corm_text *out, PyObject *key, PyObject *value) {
    if (!PyUnicode_Check(key) || (value != Py_None && !PyUnicode_Check(value))) {
        PyErr_SetString(PyExc_ValueError, "keys of an hstore are texts, and its values texts or None");
        return -1;
    }
    int status = append_text(out, key, append_quoted_part);
    corm_text_append(out, value == Py_None ? "=>NULL" : "=>");
    return status < 0 || value == Py_None ? status : append_text(out, value, append_quoted_part);
}

static PyObject *hstore_text(PyObject *dict) {
    corm_text text = CORM_TEXT_EMPTY;
    PyObject *items = PyDict_Check(dict) ? PyDict_Items(dict) : PyMapping_Items(dict);
    int status = items == NULL ? -1 : 0;
    for (Py_ssize_t i = 0; status == 0 && i < PyList_GET_SIZE(items); i++) {
        PyObject *pair = PyList_GET_ITEM(items, i);
        if (i > 0) {
            corm_text_append(&text, ", ");
        }
        status = append_pair(&text, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1));
    }
    Py_XDECREF(items);
    return taken_text(&text, status);
}

/* ---- one value ---- */

static int dimensions_of(const CormPyType *type) {
    PyObject *given = PyTuple_GET_ITEM(type->data[1], 0);
    return given == Py_None ? CORM_ARRAY_DEPTH : (int)PyLong_AsLong(given);
}

static PyObject *array_bind(const CormPyType *type, PyObject *object) {
    if (PyUnicode_Check(object)) {
        return Py_NewRef(object);
    }
    return array_text(type->data[0], object, dimensions_of(type));
}

static PyObject *text_result(const CormPyType *type, PyObject *plain) {
    Py_ssize_t size;
    const char *text = PyUnicode_Check(plain) ? PyUnicode_AsUTF8AndSize(plain, &size) : NULL;
    if (text == NULL) {
        return PyErr_Occurred() != NULL ? NULL : Py_NewRef(plain);
    }
    if (type->converts == CORM_PY_HSTORE) {
        return hstore_from(text, (size_t)size);
    }
    if (type->converts == CORM_PY_FORM) {
        return corm_py_from_form(text, (size_t)size, (unsigned)PyLong_AsUnsignedLong(type->data[0]));
    }
    const corm_type *item = ((CormPyType *)type->data[0])->type;
    item_kind kind = {type->data[0], form_of_type(item), PyTuple_GET_ITEM(type->data[1], 1) == Py_True};
    return array_from(text, (size_t)size, &kind);
}

static PyObject *form_bind(const CormPyType *type, PyObject *object) {
    unsigned form;
    bool many = PyLong_AsUnsignedLong(type->data[0]) & CORM_FORM_MULTIRANGE;
    if (PyUnicode_Check(object)) {
        return Py_NewRef(object);
    }
    if (many && is_list(object)) {
        return multirange_text(object);
    }
    PyObject *text = corm_py_to_form(object, &form);
    return text != NULL || PyErr_Occurred() != NULL ? text : Py_NewRef(object);
}

PyObject *corm_py_type_bind(PyObject *object_type, PyObject *object) {
    CormPyType *type = (CormPyType *)object_type;
    if (type->converts == CORM_PY_METHODS) {
        return corm_py_call(object_type, "_bind", "O", object);
    }
    if (type->converts == CORM_PY_JSON) {
        return json_bind(type, object);
    }
    if (object == Py_None) {
        return Py_NewRef(object);
    }
    switch (type->converts) {
    case CORM_PY_ENUM:
        return enum_bind(type, object);
    case CORM_PY_UUID:
        return uuid_bind(type, object);
    case CORM_PY_INTERVAL:
        return interval_bind(type, object);
    case CORM_PY_FORM:
        return form_bind(type, object);
    case CORM_PY_ARRAY:
        return array_bind(type, object);
    case CORM_PY_HSTORE:
        return PyUnicode_Check(object) ? Py_NewRef(object) : hstore_text(object);
    default:
        return Py_NewRef(object);
    }
}

PyObject *corm_py_type_result(PyObject *object_type, PyObject *plain) {
    CormPyType *type = (CormPyType *)object_type;
    if (type->converts == CORM_PY_METHODS) {
        return corm_py_call(object_type, "_result", "O", plain);
    }
    if (plain == Py_None) {
        return Py_NewRef(plain);
    }
    switch (type->converts) {
    case CORM_PY_ENUM:
        return enum_result(type, plain);
    case CORM_PY_UUID:
        return uuid_from_text(plain, type->data[0] == Py_True);
    case CORM_PY_JSON:
        return json_result(plain);
    case CORM_PY_INTERVAL:
        return interval_result(plain);
    case CORM_PY_FORM:
    case CORM_PY_ARRAY:
    case CORM_PY_HSTORE:
        return text_result(type, plain);
    default:
        return Py_NewRef(plain);
    }
}

int corm_py_type_values_init(void) {
    PyDateTime_IMPORT;
    name_int = PyUnicode_InternFromString("int");
    name_is_safe = PyUnicode_InternFromString("is_safe");
    name_hex = PyUnicode_InternFromString("hex");
    return PyDateTimeAPI == NULL || name_int == NULL || name_is_safe == NULL || name_hex == NULL ? -1 : 0;
}
