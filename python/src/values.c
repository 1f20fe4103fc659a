/*
 * Values across the border: Python objects as tagged values and back.
 *
 * Exact integers, floats, texts, bytes, booleans and None become plain values without a copy; everything else (dates,
 * decimals, users' types) travels as a HOST value and is converted when it is bound, by the column's type.
 */
#include "values.h"
#include "type_values.h"

#include <datetime.h>
#include <string.h>

#include "base/wait.h"
#include "compile/compile.h"
#include "dialect/dialect.h"
#include "type/datetime.h"

static PyObject *decimal_type;

static PyObject *get_decimal_type(void) {
    if (decimal_type == NULL) {
        PyObject *module = PyImport_ImportModule("decimal");
        decimal_type = module == NULL ? NULL : corm_py_get(module, "Decimal");
        Py_XDECREF(module);
    }
    return decimal_type;
}

/* ---- to Python ---- */

static PyObject *from_offset(const corm_datetime *datetime) {
    if (!datetime->has_offset) {
        return Py_NewRef(Py_None);
    }
    PyObject *delta = PyDelta_FromDSU(0, datetime->offset, 0);
    PyObject *zone = delta == NULL ? NULL : PyTimeZone_FromOffset(delta);
    Py_XDECREF(delta);
    return zone;
}

static PyObject *from_datetime(const corm_value *value) {
    const corm_datetime *d = &value->as.datetime;
    if (value->kind == CORM_KIND_DATE) {
        return PyDate_FromDate(d->year, d->month, d->day);
    }
    PyObject *zone = from_offset(d);
    PyObject *made = NULL;
    if (zone != NULL && value->kind == CORM_KIND_TIME) {
        made =
            PyDateTimeAPI->Time_FromTime(d->hour, d->minute, d->second, d->microsecond, zone, PyDateTimeAPI->TimeType);
    } else if (zone != NULL) {
        made = PyDateTimeAPI->DateTime_FromDateAndTime(d->year, d->month, d->day, d->hour, d->minute, d->second,
                                                       d->microsecond, zone, PyDateTimeAPI->DateTimeType);
    }
    Py_XDECREF(zone);
    return made;
}

static PyObject *from_text(const corm_value *value) {
    return PyUnicode_DecodeUTF8(value->as.text.data, (Py_ssize_t)value->as.text.size, "strict");
}

static PyObject *from_decimal(const corm_value *value, const corm_type *type) {
    PyObject *text = from_text(value);
    PyObject *made = NULL;
    if (text == NULL) {
        return NULL;
    }
    bool exact = type != NULL && (type->kind == CORM_TYPE_NUMERIC || type->kind == CORM_TYPE_FLOAT);
    if (value->form == CORM_FORM_INTEGER && !exact) {
        made = PyLong_FromUnicodeObject(text, 10);
    } else if (type != NULL && type->kind == CORM_TYPE_FLOAT && !type->as_decimal) {
        made = PyFloat_FromString(text);
    } else if (get_decimal_type() != NULL) {
        made = PyObject_CallOneArg(decimal_type, text);
    }
    Py_DECREF(text);
    return made;
}

static PyObject *plain_from_value(const corm_value *value, const corm_type *type) {
    switch ((corm_kind)value->kind) {
    case CORM_KIND_ABSENT:
    case CORM_KIND_NULL:
        Py_RETURN_NONE;
    case CORM_KIND_BOOLEAN:
        return PyBool_FromLong(value->as.boolean);
    case CORM_KIND_INTEGER:
        if (type != NULL && type->kind == CORM_TYPE_BOOLEAN) {
            return PyBool_FromLong(value->as.integer != 0);
        }
        return PyLong_FromLongLong(value->as.integer);
    case CORM_KIND_FLOAT:
        return PyFloat_FromDouble(value->as.real);
    case CORM_KIND_TEXT:
        return from_text(value);
    case CORM_KIND_BYTES:
        return PyBytes_FromStringAndSize(value->as.text.data, (Py_ssize_t)value->as.text.size);
    case CORM_KIND_DECIMAL:
        return from_decimal(value, type);
    case CORM_KIND_DATE:
    case CORM_KIND_TIME:
    case CORM_KIND_DATETIME:
        return from_datetime(value);
    case CORM_KIND_HOST:
        return Py_NewRef((PyObject *)value->as.host);
    }
    PyErr_SetString(PyExc_SystemError, "a value of no kind");
    return NULL;
}

/* A text that does not stand for what its type says is the server's fault. */
static PyObject *from_form(const corm_value *value) {
    PyObject *made = corm_py_from_form(value->as.text.data, value->as.text.size, value->form);
    if (made == NULL && (PyErr_ExceptionMatches(PyExc_ValueError) || PyErr_ExceptionMatches(PyExc_OverflowError))) {
        PyObject *kind, *reason, *trace;
        PyErr_Fetch(&kind, &reason, &trace);
        PyObject *text = reason == NULL ? NULL : PyObject_Str(reason);
        const char *shown = text == NULL ? NULL : PyUnicode_AsUTF8(text);
        PyErr_Clear();
        corm_error_clear();
        corm_error_set(CORM_DATA_ERROR, "the server sent a malformed value: %.200s", shown == NULL ? "" : shown);
        Py_XDECREF(text);
        Py_XDECREF(kind);
        Py_XDECREF(reason);
        Py_XDECREF(trace);
        return corm_py_raise();
    }
    return made;
}

PyObject *corm_py_from_value(const corm_value *value, const corm_type *type) {
    bool untyped = type == NULL || (type->kind == CORM_TYPE_NULL && type->host == NULL);
    if (untyped && value->kind == CORM_KIND_TEXT && value->form != CORM_FORM_TEXT) {
        return from_form(value);
    }
    PyObject *plain = plain_from_value(value, type);
    if (plain == NULL || type == NULL || type->host == NULL) {
        return plain;
    }
    PyObject *made = corm_py_type_result(type->host, plain);
    Py_DECREF(plain);
    return made;
}

/* ---- from Python ---- */

corm_status corm_py_to_value(PyObject *object, corm_value *out) {
    *out = CORM_NULL_VALUE;
    if (object == Py_None) {
        return CORM_OK;
    }
    if (PyBool_Check(object)) {
        *out = corm_value_boolean(object == Py_True);
        return CORM_OK;
    }
    if (PyLong_CheckExact(object)) {
        int overflow;
        long long integer = PyLong_AsLongLongAndOverflow(object, &overflow);
        if (overflow == 0) {
            *out = corm_value_integer(integer);
            return CORM_OK;
        }
    } else if (PyUnicode_CheckExact(object)) {
        Py_ssize_t size;
        const char *data = PyUnicode_AsUTF8AndSize(object, &size);
        if (data == NULL) {
            return corm_py_error();
        }
        *out = corm_value_bytes(CORM_KIND_TEXT, data, (size_t)size);
        return CORM_OK;
    } else if (PyFloat_CheckExact(object)) {
        *out = corm_value_float(PyFloat_AS_DOUBLE(object));
        return CORM_OK;
    } else if (PyBytes_CheckExact(object)) {
        *out = corm_value_bytes(CORM_KIND_BYTES, PyBytes_AS_STRING(object), (size_t)PyBytes_GET_SIZE(object));
        return CORM_OK;
    }
    out->kind = CORM_KIND_HOST;
    out->as.host = object;
    return CORM_OK;
}

corm_type *corm_py_type_of(PyObject *object) {
    if (PyDateTime_Check(object)) {
        return corm_type_of_kind(CORM_TYPE_DATETIME);
    }
    if (PyDate_Check(object)) {
        return corm_type_of_kind(CORM_TYPE_DATE);
    }
    if (PyTime_Check(object)) {
        return corm_type_of_kind(CORM_TYPE_TIME);
    }
    if (strcmp(Py_TYPE(object)->tp_name, "decimal.Decimal") == 0) {
        return corm_type_of_kind(CORM_TYPE_NUMERIC);
    }
    return PyLong_Check(object) ? corm_type_of_kind(CORM_TYPE_INTEGER) : NULL;
}

corm_node *corm_py_bind(PyObject *object, const char *name, corm_type *type, bool unique) {
    corm_value value;
    if (corm_py_to_value(object, &value) != CORM_OK) {
        return NULL;
    }
    if (type == NULL && value.kind == CORM_KIND_HOST) {
        type = corm_py_type_of(object);
    }
    return name == NULL ? corm_bind_new(&value, type) : corm_bind_named(name, &value, type, unique);
}

/* ---- conversion for storage ---- */

static corm_status copied(const char *data, size_t size, corm_kind kind, corm_value *out) {
    corm_value borrowed = corm_value_bytes(kind, data, size);
    return corm_value_copy(&borrowed, out);
}

static corm_status to_text(PyObject *object, corm_kind kind, corm_value *out) {
    PyObject *text = PyObject_Str(object);
    Py_ssize_t size;
    const char *data = text == NULL ? NULL : PyUnicode_AsUTF8AndSize(text, &size);
    corm_status status = data == NULL ? corm_py_error() : copied(data, (size_t)size, kind, out);
    Py_XDECREF(text);
    return status;
}

static corm_status offset_of(PyObject *object, corm_datetime *out) {
    PyObject *delta = corm_py_call(object, "utcoffset", NULL);
    if (delta == NULL) {
        return corm_py_error();
    }
    if (delta != Py_None) {
        out->has_offset = true;
        out->offset = PyDateTime_DELTA_GET_DAYS(delta) * 86400 + PyDateTime_DELTA_GET_SECONDS(delta);
    }
    Py_DECREF(delta);
    return CORM_OK;
}

static corm_status to_datetime(PyObject *object, corm_value *out) {
    corm_datetime *d = &out->as.datetime;
    *out = (corm_value){0};
    if (PyTime_Check(object)) {
        out->kind = CORM_KIND_TIME;
        d->hour = (uint8_t)PyDateTime_TIME_GET_HOUR(object);
        d->minute = (uint8_t)PyDateTime_TIME_GET_MINUTE(object);
        d->second = (uint8_t)PyDateTime_TIME_GET_SECOND(object);
        d->microsecond = PyDateTime_TIME_GET_MICROSECOND(object);
        return PyDateTime_TIME_GET_TZINFO(object) == Py_None ? CORM_OK : offset_of(object, d);
    }
    d->year = (int16_t)PyDateTime_GET_YEAR(object);
    d->month = (uint8_t)PyDateTime_GET_MONTH(object);
    d->day = (uint8_t)PyDateTime_GET_DAY(object);
    out->kind = CORM_KIND_DATE;
    if (!PyDateTime_Check(object)) {
        return CORM_OK;
    }
    out->kind = CORM_KIND_DATETIME;
    d->hour = (uint8_t)PyDateTime_DATE_GET_HOUR(object);
    d->minute = (uint8_t)PyDateTime_DATE_GET_MINUTE(object);
    d->second = (uint8_t)PyDateTime_DATE_GET_SECOND(object);
    d->microsecond = PyDateTime_DATE_GET_MICROSECOND(object);
    return PyDateTime_DATE_GET_TZINFO(object) == Py_None ? CORM_OK : offset_of(object, d);
}

static corm_status unsupported(PyObject *object) {
    return corm_error_set(CORM_PROGRAMMING_ERROR, "Error binding parameter: type '%s' is not supported",
                          Py_TYPE(object)->tp_name);
}

static corm_status convert_object(PyObject *object, corm_value *out) {
    if (PyDate_Check(object) || PyTime_Check(object)) {
        return to_datetime(object, out);
    }
    if (PyLong_Check(object)) {
        int overflow;
        long long integer = PyLong_AsLongLongAndOverflow(object, &overflow);
        if (integer == -1 && PyErr_Occurred() != NULL) {
            return corm_py_error();
        }
        if (overflow != 0) {
            corm_status status = to_text(object, CORM_KIND_DECIMAL, out);
            out->form = CORM_FORM_INTEGER; /* the dialect knows whether it can be sent */
            return status;
        }
        *out = corm_value_integer(integer);
        return CORM_OK;
    }
    if (PyUnicode_Check(object)) {
        return to_text(object, CORM_KIND_TEXT, out);
    }
    if (PyFloat_Check(object)) {
        *out = corm_value_float(PyFloat_AsDouble(object));
        return CORM_OK;
    }
    if (get_decimal_type() == NULL) {
        return corm_py_error();
    }
    int is_decimal = PyObject_IsInstance(object, decimal_type);
    if (is_decimal > 0) {
        return to_text(object, CORM_KIND_DECIMAL, out);
    }
    if (PyObject_CheckBuffer(object)) {
        Py_buffer view;
        if (PyObject_GetBuffer(object, &view, PyBUF_SIMPLE) != 0) {
            return corm_py_error();
        }
        corm_status status = copied(view.buf, (size_t)view.len, CORM_KIND_BYTES, out);
        PyBuffer_Release(&view);
        return status;
    }
    unsigned form;
    PyObject *text = corm_py_to_form(object, &form);
    if (text == NULL) {
        return PyErr_Occurred() != NULL ? corm_py_error() : unsupported(object);
    }
    corm_status status = to_text(text, CORM_KIND_TEXT, out);
    out->form = (uint8_t)form;
    Py_DECREF(text);
    return status;
}

/* The user's own type (TypeDecorator) first; then what it gives. *out owns what it holds. */
static corm_status convert(const corm_type *type, const corm_value *in, corm_value *out, struct corm_scratch *scratch) {
    (void)scratch;
    PyObject *object = in->kind == CORM_KIND_HOST ? Py_NewRef((PyObject *)in->as.host) : corm_py_from_value(in, NULL);
    if (object != NULL && type != NULL && type->host != NULL) {
        PyObject *processed = corm_py_type_bind(type->host, object);
        Py_SETREF(object, processed);
        if (object == NULL) {
            return corm_py_value_error();
        }
    }
    if (object == NULL) {
        return corm_py_error();
    }
    corm_value plain;
    corm_status status = corm_py_to_value(object, &plain);
    if (status == CORM_OK) {
        status = plain.kind == CORM_KIND_HOST ? convert_object(object, out) : corm_value_copy(&plain, out);
    }
    Py_DECREF(object);
    return status;
}

/* ---- objects inside values ---- */

static void retain(void *object) {
    Py_INCREF((PyObject *)object);
}

static void release(void *object) {
    Py_DECREF((PyObject *)object);
}

static bool equal(void *left, void *right) {
    PyObject *compared = PyObject_RichCompare(left, right, Py_EQ);
    int same = compared == NULL || compared == Py_NotImplemented ? 0 : PyObject_IsTrue(compared);
    Py_XDECREF(compared);
    PyErr_Clear();
    return same > 0;
}

static uint64_t hash(void *object) {
    Py_hash_t value = PyObject_Hash(object);
    PyErr_Clear();
    return (uint64_t)value;
}

static void describe(void *object, corm_text *out) {
    PyObject *text = PyObject_Repr(object);
    const char *data = text == NULL ? NULL : PyUnicode_AsUTF8(text);
    corm_text_append(out, data == NULL ? "<object>" : data);
    Py_XDECREF(text);
    PyErr_Clear();
}

/* ---- the interpreter lock ---- */

static void *release_lock(void *context) {
    (void)context;
    return PyEval_SaveThread();
}

static void take_lock(void *context, void *token) {
    (void)context;
    PyEval_RestoreThread(token);
}

static bool interrupted(void *context) {
    (void)context;
    return PyErr_CheckSignals() != 0;
}

int corm_py_values_init(void) {
    static const corm_value_host value_host = {retain, release, equal, hash, describe};
    static const corm_compile_host compile_host = {convert, corm_py_call_statement_default};
    static const corm_wait_hooks hooks = {release_lock, take_lock, interrupted, NULL};
    PyDateTime_IMPORT;
    if (PyDateTimeAPI == NULL || corm_py_type_values_init() < 0) {
        return -1;
    }
    corm_value_host_set(&value_host);
    corm_compile_host_set(&compile_host);
    corm_wait_hooks_set(&hooks);
    return 0;
}
