/* The inside of a registry, shared by mapper.c and configure.c. */
#ifndef CORM_ORM_REGISTRY_PRIVATE_H
#define CORM_ORM_REGISTRY_PRIVATE_H

#include <pthread.h>

#include "orm/mapper.h"

struct corm_registry {
    atomic_size_t references;
    corm_metadata *metadata;     /* a reference */
    corm_vector mappers;         /* corm_mapper *, owned, in the order of declaration */
    corm_mapper *by_name;        /* uthash; of several classes of one name the last */
    atomic_bool configured;      /* nothing is left to resolve */
    bool busy;                   /* configuring now: hooks that ask again are let through */
    pthread_mutex_t configuring; /* recursive: hooks may ask for other mappers */
};

#endif
