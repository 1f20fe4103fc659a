/* Loader options: see options.h. */
#include "orm/options.h"

#include "base/alloc.h"

/* The node that carries an option: its children are the path, then the alias (or NULL). */
typedef struct option_node {
    corm_node node;
    corm_load_option option; /* path and alias are borrowed from the children */
    corm_node *children[];
} option_node;

static option_node *as_option(const corm_node *node) {
    return (option_node *)(uintptr_t)node;
}

static uint64_t option_hash(const corm_node *node) {
    const corm_load_option *option = &as_option(node)->option;
    return corm_hash_mix((uint64_t)option->strategy << 8 | (uint64_t)option->wildcard << 1 | option->inner_join |
                             (uint64_t)option->wildcard_columns << 2,
                         (uint64_t)(uintptr_t)option->wildcard_root);
}

static bool option_equal(const corm_node *left, const corm_node *right) {
    const corm_load_option *a = &as_option(left)->option, *b = &as_option(right)->option;
    return a->strategy == b->strategy && a->wildcard == b->wildcard && a->wildcard_columns == b->wildcard_columns &&
           a->inner_join == b->inner_join && a->wildcard_root == b->wildcard_root;
}

static void option_release(corm_node *node) {
    corm_vector_clear(&as_option(node)->option.path);
}

static corm_status option_compile(struct corm_compiler *compiler, corm_node *node) {
    (void)compiler;
    (void)node;
    return CORM_OK; /* no SQL of its own */
}

static corm_node *option_clone(const corm_node *node, corm_node *const *children);

static const corm_node_vtable option_vtable = {.name = "loader option",
                                               .children_at = offsetof(option_node, children),
                                               .clone = option_clone,
                                               .hash = option_hash,
                                               .equal = option_equal,
                                               .release = option_release,
                                               .compile = option_compile};

static corm_node *option_new(corm_node *const *children, size_t count, const corm_load_option *like) {
    corm_node *node = corm_node_make(&option_vtable, CORM_NODE_EXTENSION, CORM_OP_NONE, NULL,
                                     sizeof(option_node) + count * sizeof(corm_node *), children, count, true);
    if (node == NULL) {
        return NULL;
    }
    option_node *made = as_option(node);
    made->option = *like;
    made->option.path = (corm_vector){0};
    node->flags |= CORM_NODE_HAS_EXTENSION;
    made->option.alias = children[count - 1];
    for (size_t i = 0; i + 1 < count; i++) {
        if (corm_vector_push(&made->option.path, children[i]) != CORM_OK) {
            corm_node_unref(node);
            return NULL;
        }
    }
    return corm_node_seal(node);
}

static corm_node *option_clone(const corm_node *node, corm_node *const *children) {
    return option_new(children, node->child_count, &as_option(node)->option);
}

/* The path's nodes and the alias behind them, as one array. */
static corm_node *option_of(corm_node *const *path, size_t count, const corm_load_option *like, corm_node *alias) {
    corm_node **children = corm_alloc_array(count + 1, sizeof *children);
    if (children == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        children[i] = path[i];
        if (corm_node_as_attribute(path[i]) == NULL) {
            corm_free(children);
            corm_error_set(CORM_ARGUMENT_ERROR, "a loader option's path is made of mapped attributes");
            return NULL;
        }
    }
    children[count] = alias;
    corm_node *node = option_new(children, count + 1, like);
    corm_free(children);
    return node;
}

corm_node *corm_load_option_new(corm_node *const *path, size_t count, corm_lazy strategy, bool wildcard,
                                bool inner_join, corm_node *alias) {
    corm_load_option like = {.strategy = strategy, .wildcard = wildcard, .inner_join = inner_join};
    return option_of(path, count, &like, alias);
}

corm_node *corm_load_option_wildcard_columns(corm_node *const *path, size_t count, corm_mapper *root) {
    corm_load_option like = {.strategy = CORM_LAZY_DEFER, .wildcard_columns = true, .wildcard_root = root};
    return option_of(path, count, &like, NULL);
}

corm_node *corm_load_option_with_path(const corm_load_option *option, corm_node *const *path, size_t count) {
    corm_load_option like = *option;
    if (count > 0) {
        like.wildcard_root = NULL;
    }
    return option_of(path, count, &like, option->alias);
}

const char *corm_load_option_name(corm_lazy strategy) {
    static const char *const names[] = {[CORM_LAZY_DEFAULT] = "defaultload",    [CORM_LAZY_SELECT] = "lazyload",
                                        [CORM_LAZY_JOINED] = "joinedload",      [CORM_LAZY_SELECTIN] = "selectinload",
                                        [CORM_LAZY_RAISE] = "raiseload",        [CORM_LAZY_RAISE_ON_SQL] = "raiseload",
                                        [CORM_LAZY_NOLOAD] = "noload",          [CORM_LAZY_DEFER] = "defer",
                                        [CORM_LAZY_DEFER_RAISE] = "defer",      [CORM_LAZY_UNDEFER] = "undefer",
                                        [CORM_LAZY_CONTAINS] = "contains_eager"};
    return names[strategy];
}

corm_load_option *corm_node_as_load_option(corm_node *node) {
    return node != NULL && node->vtable == &option_vtable ? &as_option(node)->option : NULL;
}

/* ---- all options of a statement ---- */

corm_load_options *corm_load_options_new(corm_node *const *options, size_t count) {
    corm_load_options *made = corm_alloc(sizeof *made + count * sizeof *made->options);
    if (made == NULL) {
        return NULL;
    }
    atomic_init(&made->references, 1);
    made->count = count;
    for (size_t i = 0; i < count; i++) {
        made->options[i] = corm_node_ref(options[i]);
    }
    return made;
}

corm_load_options *corm_load_options_ref(corm_load_options *options) {
    if (options != NULL) {
        atomic_fetch_add_explicit(&options->references, 1, memory_order_relaxed);
    }
    return options;
}

void corm_load_options_unref(corm_load_options *options) {
    if (options == NULL || atomic_fetch_sub_explicit(&options->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < options->count; i++) {
        corm_node_unref(options->options[i]);
    }
    corm_free(options);
}

static corm_attribute *step(const corm_load_option *option, size_t index) {
    return corm_node_as_attribute(option->path.items[index])->attribute;
}

/* Does the option's path begin with these attributes? */
static bool follows(const corm_load_option *option, corm_attribute *const *path, size_t depth) {
    if (option->path.count < depth) {
        return false;
    }
    for (size_t i = 0; i < depth; i++) {
        if (step(option, i) != path[i]) {
            return false;
        }
    }
    return true;
}

/* Does the option speak of this attribute at the end of the path? */
static bool applies(const corm_load_option *option, corm_attribute *const *path, size_t depth,
                    const corm_attribute *attribute) {
    if (option->wildcard_columns) {
        return attribute->column != NULL && option->path.count == depth && follows(option, path, depth) &&
               (option->wildcard_root == NULL || option->wildcard_root == attribute->mapper);
    }
    if (option->wildcard) {
        bool everywhere = option->path.count == 0 && option->wildcard_root == NULL;
        return attribute->relationship != NULL &&
               (everywhere || (option->path.count == depth && follows(option, path, depth) &&
                               (option->wildcard_root == NULL || option->wildcard_root == attribute->mapper)));
    }
    return option->path.count == depth + 1 && step(option, depth) == attribute && follows(option, path, depth);
}

/* Does the option's path lead through the attribute? */
static bool leads_through(const corm_load_option *option, corm_attribute *const *path, size_t depth,
                          const corm_attribute *attribute) {
    return option->path.count > depth && step(option, depth) == attribute && follows(option, path, depth);
}

corm_node *corm_load_options_criteria(const corm_load_options *options, corm_attribute *const *path, size_t depth,
                                      const corm_attribute *attribute) {
    corm_node *criteria = NULL;
    for (size_t i = 0; options != NULL && i < options->count; i++) {
        const corm_load_option *option = corm_node_as_load_option(options->options[i]);
        if (option != NULL && leads_through(option, path, depth, attribute)) {
            corm_node *own = corm_node_as_attribute(option->path.items[depth])->children[2];
            criteria = own != NULL ? own : criteria;
        }
    }
    return criteria;
}

static corm_node *below(const corm_load_option *option, size_t skip) {
    corm_node *const *rest = (corm_node *const *)(void *)(option->path.items + skip);
    corm_load_option like = *option;
    like.path.items = NULL;
    if (option->path.count == skip && (option->wildcard || option->wildcard_columns)) {
        const corm_attribute_node *last = corm_node_as_attribute(option->path.items[skip - 1]);
        corm_entity *given = corm_attribute_node_target(last);
        like.wildcard_root = given != NULL ? given->mapper : last->attribute->relationship->target;
    }
    return option_of(rest, option->path.count - skip, &like, option->alias);
}

corm_status corm_load_options_below(const corm_load_options *options, corm_attribute *const *path, size_t depth,
                                    const corm_attribute *attribute, corm_vector *out) {
    corm_status status = CORM_OK;
    for (size_t i = 0; options != NULL && i < options->count && status == CORM_OK; i++) {
        const corm_load_option *option = corm_node_as_load_option(options->options[i]);
        corm_node *node = NULL;
        if (option == NULL) {
            continue;
        }
        bool end = option->path.count == depth + 1;
        if (option->path.count == 0 && option->wildcard_root == NULL) {
            node = corm_node_ref(options->options[i]);
        } else if (leads_through(option, path, depth, attribute) &&
                   (!end || option->wildcard || option->wildcard_columns)) {
            node = below(option, depth + 1);
            status = node == NULL ? corm_error_last()->status : CORM_OK;
        }
        if (node != NULL && status == CORM_OK) {
            status = corm_vector_push(out, node);
            if (status != CORM_OK) {
                corm_node_unref(node);
            }
        }
    }
    return status;
}

static corm_lazy by_mapping(const corm_attribute *attribute) {
    if (attribute->relationship != NULL) {
        return attribute->relationship->lazy;
    }
    return attribute->deferred ? CORM_LAZY_DEFER : CORM_LAZY_UNDEFER;
}

corm_lazy corm_load_options_strategy(const corm_load_options *options, corm_attribute *const *path, size_t depth,
                                     corm_attribute *attribute, const corm_load_option **option) {
    const corm_load_option *chosen = NULL;
    for (size_t i = 0; options != NULL && i < options->count; i++) {
        const corm_load_option *candidate = corm_node_as_load_option(options->options[i]);
        if (candidate != NULL && candidate->strategy != CORM_LAZY_DEFAULT &&
            applies(candidate, path, depth, attribute)) {
            bool general = candidate->wildcard || candidate->wildcard_columns;
            /* A named attribute beats a wildcard; of equals the last one counts. */
            if (chosen == NULL || !general || chosen->wildcard || chosen->wildcard_columns) {
                chosen = candidate;
            }
        }
    }
    if (option != NULL) {
        *option = chosen;
    }
    return chosen != NULL ? chosen->strategy : by_mapping(attribute);
}
