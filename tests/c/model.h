/*
 * The model that random programs are compared with: an array of things, and what a flush does to it. See test_model.c.
 */
#ifndef CORM_TEST_MODEL_H
#define CORM_TEST_MODEL_H

#include "support.h"

enum { THINGS = 40, DEPTH = 4 };

typedef enum kind { USER, ADDRESS, PROFILE, CLUB, BASKET, ENTRY, LEAF, KINDS } kind;

typedef struct thing {
    kind kind;
    bool alive, persistent, dying;
    char text[16];
    int number;     /* negative: NULL */
    int parent;     /* of an address, profile, entry, leaf: index, or -1 */
    uint64_t clubs; /* of a user: bits by index */
    int64_t id;
    void *object; /* in the present session, or NULL */
} thing;

typedef struct model {
    thing things[THINGS];
    int count;
} model;

/* The program that runs. */
typedef struct model_run {
    model now;
    model saved[DEPTH]; /* 0: the last commit; then savepoints */
    int depth;          /* savepoints */
    int serial;         /* for texts that are unique */
    bool trace;
    bool autoflush; /* then whatever reads may write first, and orphans go at once */
    char failure[512];
} model_run;
extern model_run run;

void trace(const char *format, ...) CORM_PRINTF(1, 2);
/* Note the first failure; false. */
bool wrong(const char *format, ...) CORM_PRINTF(1, 2);
bool good(corm_status status, const char *what);

corm_mapping *mapping_of(kind of);
const char *name_of(int index);
char **text_field(const thing *one);
/* The object of a thing, fetched if it is not known in this session; NULL: a failure. */
void *object_of(int index);
bool usable(int index);
/* The n-th usable thing of a kind (KINDS: of any), modulo how many there are; -1: none. */
int pick(unsigned choice, kind of);
int alive_of(kind of);
kind parent_kind(kind of);
const char *parent_field(kind of);
corm_many *children_of(const thing *one, kind of);
void **reference_field(const thing *one);

/* Flush, and do to the model what a flush does. */
bool settle(void);
/* Settle; then rows and objects are what the model says. */
bool compare(void);

#endif
