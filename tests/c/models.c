/* Mappings of the suites' structs; see models.h. */
#include "models.h"

CORM_MAPPING(user, "users", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true), CORM_COLUMN(name, CORM_STRING(50)),
             CORM_COLUMN(age, CORM_INTEGER), CORM_HAS_MANY(addresses, address, .inverse = "user", .order_by = "id"),
             CORM_HAS_ONE(profile, profile, .inverse = "user", .cascade = "all, delete-orphan"),
             CORM_HAS_MANY(clubs, club, .inverse = "members", .secondary = "memberships", .order_by = "title"));

CORM_MAPPING(address, "addresses", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(email, CORM_STRING(200), .required = true),
             CORM_COLUMN(user_id, CORM_INTEGER, .references = "users.id"),
             CORM_BELONGS_TO(user, user, .inverse = "addresses"));

CORM_MAPPING(profile, "profiles", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true), CORM_COLUMN(motto, CORM_TEXT),
             CORM_COLUMN(user_id, CORM_INTEGER, .references = "users.id"),
             CORM_BELONGS_TO(user, user, .inverse = "profile"));

CORM_MAPPING(club, "clubs", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(title, CORM_STRING(50), .unique = true),
             CORM_HAS_MANY(members, user, .inverse = "clubs", .secondary = "memberships", .order_by = "id"));

CORM_MAPPING(basket, "baskets", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true), CORM_COLUMN(label, CORM_STRING(50)),
             CORM_HAS_MANY(entries, entry, .inverse = "basket", .order_by = "id", .cascade = "all, delete-orphan"));

CORM_MAPPING(entry, "entries", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true), CORM_COLUMN(text, CORM_STRING(50)),
             CORM_COLUMN(amount, CORM_INTEGER),
             CORM_COLUMN(basket_id, CORM_INTEGER, .references = "baskets.id", .on_delete = "CASCADE"),
             CORM_BELONGS_TO(basket, basket, .inverse = "entries"));

CORM_MAPPING(leaf, "leaves", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true), CORM_COLUMN(name, CORM_STRING(50)),
             CORM_COLUMN(parent_id, CORM_INTEGER, .references = "leaves.id", .index = true),
             CORM_BELONGS_TO(parent, leaf, .inverse = "children", .remote_side = "id"),
             CORM_HAS_MANY(children, leaf, .inverse = "parent", .order_by = "id"));

CORM_MAPPING(team, "teams", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true), CORM_COLUMN(name, CORM_STRING(50)),
             CORM_HAS_MANY(at_home, game, .inverse = "home", .foreign_keys = "home_id", .order_by = "id desc"),
             CORM_HAS_MANY(away, game, .inverse = "guest", .foreign_keys = "guest_id", .order_by = "id"));

CORM_MAPPING(game, "games", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(home_id, CORM_INTEGER, .references = "teams.id"),
             CORM_COLUMN(guest_id, CORM_INTEGER, .references = "teams.id"),
             CORM_BELONGS_TO(home, team, .inverse = "at_home", .foreign_keys = "home_id"),
             CORM_BELONGS_TO(guest, team, .inverse = "away", .foreign_keys = "guest_id"));

CORM_MAPPING(office, "offices", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true), CORM_COLUMN(name, CORM_STRING(50)),
             CORM_COLUMN(head_id, CORM_INTEGER, .references = "workers.id"),
             CORM_BELONGS_TO(head, worker, .foreign_keys = "head_id", .post_update = true),
             CORM_HAS_MANY(workers, worker, .inverse = "office", .foreign_keys = "office_id", .order_by = "id"));

CORM_MAPPING(worker, "workers", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true), CORM_COLUMN(name, CORM_STRING(50)),
             CORM_COLUMN(office_id, CORM_INTEGER, .references = "offices.id"),
             CORM_BELONGS_TO(office, office, .inverse = "workers", .foreign_keys = "office_id"));

CORM_MAPPING(stop, "stops", CORM_COLUMN(route, CORM_STRING(10), .primary_key = true),
             CORM_COLUMN(place, CORM_INTEGER, .primary_key = true), CORM_COLUMN(name, CORM_STRING(50)));

CORM_MAPPING(plain, "plain", CORM_COLUMN(id, CORM_BIG_INTEGER, .primary_key = true), CORM_COLUMN(middle, CORM_INTEGER),
             CORM_COLUMN(small, CORM_SMALL_INTEGER), CORM_COLUMN(flag, CORM_BOOLEAN), CORM_COLUMN(real, CORM_FLOAT),
             CORM_COLUMN(money, CORM_NUMERIC(10, 2)), CORM_COLUMN(at, CORM_DATETIME));

CORM_MAPPING(nullable, "nullable", CORM_COLUMN(id, CORM_INTEGER, .primary_key = true),
             CORM_COLUMN(whole, CORM_BIG_INTEGER), CORM_COLUMN(real, CORM_FLOAT), CORM_COLUMN(flag, CORM_BOOLEAN),
             CORM_COLUMN(string, CORM_STRING(20)), CORM_COLUMN(text, CORM_TEXT), CORM_COLUMN(bytes, CORM_BINARY),
             CORM_COLUMN(exact, CORM_NUMERIC(30, 10)), CORM_COLUMN(money, CORM_NUMERIC(10, 2)),
             CORM_COLUMN(day, CORM_DATE), CORM_COLUMN(clock, CORM_TIME), CORM_COLUMN(at, CORM_DATETIME));

corm_status add_all_models(corm_models *models) {
    corm_mapping *all[] = {user_mapping(),   address_mapping(), profile_mapping(), club_mapping(),    basket_mapping(),
                           entry_mapping(),  leaf_mapping(),    team_mapping(),    game_mapping(),    office_mapping(),
                           worker_mapping(), stop_mapping(),    plain_mapping(),   nullable_mapping()};
    corm_status status = CORM_OK;
    for (size_t i = 0; i < sizeof all / sizeof *all && status == CORM_OK; i++) {
        status = corm_models_add_mapping(models, all[i]);
    }
    return status == CORM_OK
               ? corm_models_add_association(models, "memberships", "user_id", "users.id", "club_id", "clubs.id")
               : status;
}
