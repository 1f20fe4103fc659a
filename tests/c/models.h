/* The structs that the C suites map: each family shows one kind of relationship. */
#ifndef CORM_TEST_MODELS_H
#define CORM_TEST_MODELS_H

#include <cormorant.h>

/* One-to-many that lets go (the foreign key becomes NULL), one-to-one that owns, many-to-many. */
typedef struct user {
    int64_t id;
    char *name;
    corm_int age;
    corm_many *addresses;
    struct profile *profile;
    corm_many *clubs;
} user;

typedef struct address {
    int64_t id;
    char *email;
    corm_int user_id;
    user *user;
} address;

typedef struct profile {
    int64_t id;
    char *motto;
    corm_int user_id;
    user *user;
} profile;

typedef struct club {
    int64_t id;
    char *title;
    corm_many *members;
} club;

/* One-to-many that owns: "all, delete-orphan", and a key that may not be NULL. */
typedef struct basket {
    int64_t id;
    char *label;
    corm_many *entries;
} basket;

typedef struct entry {
    int64_t id;
    char *text;
    int32_t amount;
    int64_t basket_id;
    basket *basket;
} entry;

/* A tree: one table that refers to itself. */
typedef struct leaf {
    int64_t id;
    char *name;
    corm_int parent_id;
    struct leaf *parent;
    corm_many *children;
} leaf;

/* Two paths between the same tables. */
typedef struct team {
    int64_t id;
    char *name;
    corm_many *at_home;
    corm_many *away;
} team;

typedef struct game {
    int64_t id;
    int64_t home_id;
    int64_t guest_id;
    team *home;
    team *guest;
} game;

/* Rows that refer to each other: post_update. */
typedef struct office {
    int64_t id;
    char *name;
    corm_int head_id;
    struct worker *head;
    corm_many *workers;
} office;

typedef struct worker {
    int64_t id;
    char *name;
    corm_int office_id;
    office *office;
} worker;

/* A composite key. */
typedef struct stop {
    char *route;
    int32_t place;
    char *name;
} stop;

/* Every column type, in fields that are never NULL and in fields that may be. */
typedef struct plain {
    int64_t id;
    int32_t middle;
    int16_t small;
    bool flag;
    double real;
    double money;
    corm_datetime at;
} plain;

typedef struct nullable {
    int64_t id;
    corm_int whole;
    corm_float real;
    corm_bool flag;
    char *string;
    char *text;
    corm_bytes bytes;
    char *exact;
    corm_float money;
    corm_moment day;
    corm_moment clock;
    corm_moment at;
} nullable;

CORM_DECLARE(user);
CORM_DECLARE(address);
CORM_DECLARE(profile);
CORM_DECLARE(club);
CORM_DECLARE(basket);
CORM_DECLARE(entry);
CORM_DECLARE(leaf);
CORM_DECLARE(team);
CORM_DECLARE(game);
CORM_DECLARE(office);
CORM_DECLARE(worker);
CORM_DECLARE(stop);
CORM_DECLARE(plain);
CORM_DECLARE(nullable);

/* All of them, and the association table of clubs. */
corm_status add_all_models(corm_models *models);

#endif
