/*
 * A session's transactions in Python: SessionTransaction, a view of one that the core session runs.
 *
 * A view holds its session and knows the core's transaction by number; it is made when someone asks for it, and one transaction
 * has one view while that is alive. The body of a `with` on a view is noted in the session (`managed`): a transaction that ends
 * inside of it leaves the session unusable until the `with` is over.
 */
#include "session.h"

PyTypeObject *CormPyTransaction_Type;

static CormPyTransaction *as_transaction(PyObject *object) {
    return (CormPyTransaction *)object;
}

/* The core's transaction, or NULL when it is over. */
static corm_transaction *find(const CormPyTransaction *self, size_t *depth) {
    const corm_session *session = self->session == NULL ? NULL : self->session->session;
    for (size_t i = 0; session != NULL && i < session->transactions.count; i++) {
        corm_transaction *transaction = session->transactions.items[i];
        if (transaction->serial == self->serial) {
            *depth = i;
            return transaction;
        }
    }
    return NULL;
}

bool corm_py_transaction_alive(const CormPyTransaction *transaction) {
    size_t depth;
    return find(transaction, &depth) != NULL;
}

static CormPyTransaction *known_view(const CormPySession *self, uint32_t serial) {
    CormPyTransaction *view = self->transactions;
    while (view != NULL && view->serial != serial) {
        view = view->next;
    }
    return view;
}

static PyObject *make_view(CormPySession *self, const corm_transaction *transaction, PyObject *parent) {
    CormPyTransaction *view = (CormPyTransaction *)CormPyTransaction_Type->tp_alloc(CormPyTransaction_Type, 0);
    if (view != NULL) {
        view->session = (CormPySession *)Py_NewRef(self);
        view->parent = Py_XNewRef(parent);
        view->serial = transaction->serial;
        view->nested = transaction->savepoint;
        view->next = self->transactions;
        if (view->next != NULL) {
            view->next->previous = view;
        }
        self->transactions = view;
    }
    return (PyObject *)view;
}

PyObject *corm_py_transaction_view(CormPySession *self, size_t depth) {
    const corm_session *session = self->session;
    PyObject *view = NULL;
    if (depth >= session->transactions.count) {
        Py_RETURN_NONE;
    }
    for (size_t i = 0; i <= depth && i < session->transactions.count; i++) {
        const corm_transaction *transaction = session->transactions.items[i];
        PyObject *parent = view;
        view = Py_XNewRef((PyObject *)known_view(self, transaction->serial));
        if (view == NULL) {
            view = make_view(self, transaction, parent);
        }
        Py_XDECREF(parent);
        if (view == NULL) {
            return NULL;
        }
    }
    return view;
}

/* ---- telling listeners ---- */

static int tell(CormPySession *self, const char *name, PyObject *view) {
    PyObject *arguments = PyTuple_Pack(2, self, view);
    int failed = arguments == NULL ? -1 : corm_py_session_fire(self, name, arguments);
    Py_XDECREF(arguments);
    return failed;
}

static int tell_ended(CormPySession *self) {
    while (self->tracked != NULL && PyList_GET_SIZE(self->tracked) > 0) {
        Py_ssize_t last = PyList_GET_SIZE(self->tracked) - 1;
        PyObject *view = PyList_GET_ITEM(self->tracked, last);
        if (corm_py_transaction_alive(as_transaction(view))) {
            break;
        }
        Py_INCREF(view);
        int failed =
            PyList_SetSlice(self->tracked, last, last + 1, NULL) < 0 || tell(self, "after_transaction_end", view) < 0;
        Py_DECREF(view);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

static int tell_begun(CormPySession *self) {
    for (size_t depth = 0; depth < self->session->transactions.count; depth++) {
        if (self->tracked == NULL && (self->tracked = PyList_New(0)) == NULL) {
            return -1;
        }
        if ((size_t)PyList_GET_SIZE(self->tracked) > depth) {
            continue;
        }
        PyObject *view = corm_py_transaction_view(self, depth);
        int failed =
            view == NULL || PyList_Append(self->tracked, view) < 0 || tell(self, "after_transaction_create", view) < 0;
        Py_XDECREF(view);
        if (failed) {
            return -1;
        }
    }
    return 0;
}

int corm_py_transactions_changed(CormPySession *self) {
    const corm_session *session = self->session;
    size_t count = session->transactions.count;
    uint32_t serial = corm_session_serial(session);
    if (count == self->seen_count && (count == 0 || serial == self->seen_serial)) {
        return 0;
    }
    self->seen_count = count;
    self->seen_serial = serial;
    if (session->borrowed_connection) {
        corm_py_session_tell_connection(self);
    }
    if (self->tracked == NULL && !corm_py_session_listened(self, "after_transaction_create") &&
        !corm_py_session_listened(self, "after_transaction_end")) {
        return 0;
    }
    return tell_ended(self) < 0 || tell_begun(self) < 0 ? -1 : 0;
}

PyObject *corm_py_session_transaction(CormPySession *self) {
    /* Listeners hear that it was created before they hear of anything in it. */
    if (self->session != NULL && corm_py_transactions_changed(self) < 0) {
        return NULL;
    }
    size_t count = self->session == NULL ? 0 : self->session->transactions.count;
    if (count == 0) {
        Py_RETURN_NONE;
    }
    return corm_py_transaction_view(self, count - 1);
}

/* ---- the session's methods ---- */

static PyObject *finish(CormPySession *self, corm_status status, PyObject *result) {
    if (status != CORM_OK) {
        Py_XDECREF(result);
        return corm_py_session_raise(self);
    }
    self->quoted = false;
    if (corm_py_transactions_changed(self) < 0) {
        Py_XDECREF(result);
        return NULL;
    }
    return result;
}

static PyObject *begin(PyObject *object, bool nested) {
    CormPySession *self = corm_py_as_session(object);
    corm_session *session = corm_py_session_open(object);
    if (session == NULL || (nested && corm_py_session_bind_for_flush(self) < 0) ||
        (nested && corm_py_session_ensure_bind(self, NULL, NULL) < 0)) {
        return NULL;
    }
    if ((nested ? corm_session_begin_nested(session) : corm_session_begin(session)) != CORM_OK) {
        return corm_py_session_raise(self);
    }
    PyObject *view = corm_py_session_transaction(self);
    return view == NULL ? NULL : finish(self, CORM_OK, view);
}

PyObject *corm_py_session_begin(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    CORM_PY_SIGNATURE(signature, "Session.begin", 1, 0, "nested");
    PyObject *given[1];
    if (corm_py_unpack(&signature, args, count, names, given) < 0) {
        return NULL;
    }
    int nested = corm_py_flag(given[0], 0);
    return nested < 0 ? NULL : begin(self, nested != 0);
}

PyObject *corm_py_session_begin_nested(PyObject *self, PyObject *unused) {
    (void)unused;
    return begin(self, true);
}

static PyObject *commit(CormPySession *self) {
    corm_session *session = corm_py_session_open((PyObject *)self);
    if (session == NULL || corm_py_session_bind_for_flush(self) < 0) {
        return NULL;
    }
    return finish(self, corm_session_commit(session), Py_NewRef(Py_None));
}

static PyObject *rollback(CormPySession *self) {
    if (self->session == NULL) {
        return corm_py_session_open((PyObject *)self) == NULL ? NULL : Py_NewRef(Py_None);
    }
    return finish(self, corm_session_rollback(self->session), Py_NewRef(Py_None));
}

PyObject *corm_py_session_commit(PyObject *self, PyObject *unused) {
    (void)unused;
    return commit(corm_py_as_session(self));
}

PyObject *corm_py_session_rollback(PyObject *self, PyObject *unused) {
    (void)unused;
    return rollback(corm_py_as_session(self));
}

PyObject *corm_py_session_prepare(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPySession *self = corm_py_as_session(object);
    corm_session *session = corm_py_session_open(object);
    if (session == NULL || corm_py_session_bind_for_flush(self) < 0) {
        return NULL;
    }
    return finish(self, corm_session_prepare(session), Py_NewRef(Py_None));
}

/* ---- the view's ---- */

static PyObject *closed(void) {
    return corm_py_raise_exc("ResourceClosedError", "This transaction is closed");
}

/* End the savepoints inside of the transaction, and itself if it is one. */
static corm_status end_nested(CormPyTransaction *self, bool commits) {
    corm_status status = CORM_OK;
    size_t depth;
    while (status == CORM_OK && find(self, &depth) != NULL) {
        bool itself = self->session->session->transactions.count == depth + 1;
        if (itself && !self->nested) {
            break;
        }
        status = commits ? corm_session_commit_nested(self->session->session)
                         : corm_session_rollback_nested(self->session->session);
    }
    return status;
}

static PyObject *transaction_commit(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPyTransaction *self = as_transaction(object);
    if (!corm_py_transaction_alive(self)) {
        return closed();
    }
    if (!self->nested) {
        return commit(self->session);
    }
    if (corm_py_session_bind_for_flush(self->session) < 0) {
        return NULL;
    }
    return finish(self->session, end_nested(self, true), Py_NewRef(Py_None));
}

static PyObject *transaction_rollback(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPyTransaction *self = as_transaction(object);
    if (!corm_py_transaction_alive(self)) {
        return closed();
    }
    if (!self->nested) {
        return rollback(self->session);
    }
    return finish(self->session, end_nested(self, false), Py_NewRef(Py_None));
}

static PyObject *transaction_prepare(PyObject *object, PyObject *unused) {
    CormPyTransaction *self = as_transaction(object);
    return corm_py_transaction_alive(self) ? corm_py_session_prepare((PyObject *)self->session, unused) : closed();
}

static PyObject *transaction_close(PyObject *object, PyObject *unused) {
    if (!corm_py_transaction_alive(as_transaction(object))) {
        Py_RETURN_NONE;
    }
    return transaction_rollback(object, unused);
}

static PyObject *transaction_enter(PyObject *object, PyObject *unused) {
    (void)unused;
    CormPyTransaction *self = as_transaction(object);
    if (!corm_py_transaction_alive(self)) {
        return closed();
    }
    self->outer = self->session->managed;
    self->session->managed = self;
    return Py_NewRef(object);
}

static bool is_active(const CormPyTransaction *self) {
    return corm_py_transaction_alive(self) && !self->session->session->failed;
}

/* An error while another one is pending gives way to that. */
static void close_quietly(PyObject *object) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyObject *result = transaction_close(object, NULL);
    if (result == NULL) {
        PyErr_Clear();
    }
    Py_XDECREF(result);
    PyErr_Restore(type, value, traceback);
}

static PyObject *transaction_exit(PyObject *object, PyObject *const *args, Py_ssize_t count) {
    CormPyTransaction *self = as_transaction(object);
    if (self->session == NULL) {
        Py_RETURN_NONE;
    }
    if (self->session->managed == self) {
        self->session->managed = self->outer;
    }
    self->outer = NULL;
    bool failed = count > 0 && args[0] != Py_None;
    PyObject *result;
    if (!failed && is_active(self)) {
        result = transaction_commit(object, NULL);
        if (result == NULL) {
            close_quietly(object);
        }
    } else {
        result = transaction_close(object, NULL);
    }
    Py_XDECREF(result);
    if (result == NULL) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *transaction_connection(PyObject *object, PyObject *args, PyObject *kwargs) {
    (void)args;
    (void)kwargs;
    CormPyTransaction *self = as_transaction(object);
    return corm_py_transaction_alive(self) ? corm_py_session_connection(self->session) : closed();
}

static PyObject *get_is_active(PyObject *object, void *closure) {
    (void)closure;
    return PyBool_FromLong(is_active(as_transaction(object)));
}

static PyObject *get_nested(PyObject *object, void *closure) {
    (void)closure;
    return PyBool_FromLong(as_transaction(object)->nested);
}

static PyObject *get_parent(PyObject *object, void *closure) {
    (void)closure;
    PyObject *parent = as_transaction(object)->parent;
    return Py_NewRef(parent == NULL ? Py_None : parent);
}

static PyObject *get_session(PyObject *object, void *closure) {
    (void)closure;
    PyObject *session = (PyObject *)as_transaction(object)->session;
    return Py_NewRef(session == NULL ? Py_None : session);
}

/* ---- life ---- */

static int transaction_traverse(PyObject *object, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(as_transaction(object)->session);
    Py_VISIT(as_transaction(object)->parent);
    return 0;
}

static int transaction_clear(PyObject *object) {
    CormPyTransaction *self = as_transaction(object);
    CormPySession *session = self->session;
    if (session != NULL) {
        for (CormPyTransaction *at = session->managed; at != NULL; at = at->outer) {
            if (at->outer == self) {
                at->outer = self->outer;
            }
        }
        if (session->managed == self) {
            session->managed = self->outer;
        }
        if (self->previous != NULL) {
            self->previous->next = self->next;
        } else {
            session->transactions = self->next;
        }
        if (self->next != NULL) {
            self->next->previous = self->previous;
        }
        self->previous = self->next = self->outer = NULL;
        self->session = NULL;
        Py_DECREF(session);
    }
    Py_CLEAR(self->parent);
    return 0;
}

static void transaction_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    transaction_clear(object);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"commit", transaction_commit, METH_NOARGS, "commit()\n--\n\nFlush and commit, or release the savepoint."},
    {"prepare", transaction_prepare, METH_NOARGS, "prepare()\n--\n\nFlush, and prepare the two-phase transaction."},
    {"rollback", transaction_rollback, METH_NOARGS, "rollback()\n--\n\nRoll back, all or to the savepoint."},
    {"close", transaction_close, METH_NOARGS, "close()\n--\n\nRoll back if it is still open."},
    {"connection", (PyCFunction)(void (*)(void))transaction_connection, METH_VARARGS | METH_KEYWORDS,
     "connection(bindkey=None, execution_options=None)\n--\n\nThe Connection of the transaction."},
    {"__enter__", transaction_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))transaction_exit, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef getset[] = {{"is_active", get_is_active, NULL, "Can the transaction be used?", NULL},
                               {"nested", get_nested, NULL, "Is it a savepoint?", NULL},
                               {"parent", get_parent, NULL, "The transaction around it, or None.", NULL},
                               {"_parent", get_parent, NULL, "The transaction around it, or None.", NULL},
                               {"session", get_session, NULL, "The Session.", NULL},
                               {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot slots[] = {{Py_tp_doc,
                               "A transaction of a Session, or a savepoint in one: a context manager that commits at "
                               "the end of its body, or rolls back on an exception."},
                              {Py_tp_dealloc, transaction_dealloc},
                              {Py_tp_traverse, transaction_traverse},
                              {Py_tp_clear, transaction_clear},
                              {Py_tp_methods, methods},
                              {Py_tp_getset, getset},
                              {0, NULL}};

static PyType_Spec spec = {.name = "cormorant.orm.session.SessionTransaction",
                           .basicsize = sizeof(CormPyTransaction),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           .slots = slots};

int corm_py_session_transaction_init(PyObject *module) {
    CormPyTransaction_Type = corm_py_type(module, &spec, NULL);
    return CormPyTransaction_Type == NULL ? -1 : 0;
}
