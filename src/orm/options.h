/*
 * Loader options: selectinload(A.bs).joinedload(B.c) and their kin, as one immutable, reference-counted list.
 * They are part of a statement (its cache key) and stay with loaded objects for later lazy loads.
 */
#ifndef CORM_ORM_OPTIONS_H
#define CORM_ORM_OPTIONS_H

#include "orm/entity.h"

/* One option: a path of attributes from a root entity, and what to do at its end. */
typedef struct corm_load_option {
    corm_vector path; /* corm_attribute_node *, owned; a wildcard ("*") has an empty path */
    corm_lazy strategy;
    bool wildcard;         /* for all relationships of the entity at the path's end */
    bool wildcard_columns; /* load_only: all columns but those undeferred */
    bool inner_join;
    corm_mapper *wildcard_root; /* Load(A).raiseload("*"): only below this mapper; NULL: everywhere */
    corm_node *alias;           /* contains_eager(alias=...): an entity, owned, or NULL */
} corm_load_option;

/* A node (EXTENSION) holding one option, to be put into a select's options. Takes references of the path. */
corm_node *corm_load_option_new(corm_node *const *path, size_t count, corm_lazy strategy, bool wildcard,
                                bool inner_join, corm_node *alias);
/* load_only(): defers every column of the entity at the path's end that is not listed. */
corm_node *corm_load_option_wildcard_columns(corm_node *const *path, size_t count, corm_mapper *root);
/* The same option at the end of another path. */
corm_node *corm_load_option_with_path(const corm_load_option *option, corm_node *const *path, size_t count);
/* What users call an option of this strategy: "selectinload". */
const char *corm_load_option_name(corm_lazy strategy);
corm_load_option *corm_node_as_load_option(corm_node *node); /* NULL: something else */

/* All options of a statement, shared by the objects it loads. */
typedef struct corm_load_options {
    atomic_uint references;
    size_t count;
    corm_node *options[]; /* owned references */
} corm_load_options;

corm_load_options *corm_load_options_new(corm_node *const *options, size_t count);
corm_load_options *corm_load_options_ref(corm_load_options *options);
void corm_load_options_unref(corm_load_options *options);

/* The criteria that the path of some option has on this attribute, A.bs.and_(...): borrowed; NULL: none. */
corm_node *corm_load_options_criteria(const corm_load_options *options, corm_attribute *const *path, size_t depth,
                                      const corm_attribute *attribute);
/* The options of what lies behind an attribute, with paths that begin there: new references, appended. */
corm_status corm_load_options_below(const corm_load_options *options, corm_attribute *const *path, size_t depth,
                                    const corm_attribute *attribute, corm_vector *out);
static inline bool corm_lazy_defers(corm_lazy strategy) {
    return strategy == CORM_LAZY_DEFER || strategy == CORM_LAZY_DEFER_RAISE;
}
/* The strategy that an attribute has at the end of a path (attributes from the root), by the options or by the
 * mapping. option (may be NULL) receives the option that decided, or NULL. */
corm_lazy corm_load_options_strategy(const corm_load_options *options, corm_attribute *const *path, size_t depth,
                                     corm_attribute *attribute, const corm_load_option **option);

#endif
