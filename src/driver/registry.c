/* The table of drivers: adding a database adds a line. */
#include <string.h>

#include "driver/driver.h"

extern const corm_driver corm_driver_sqlite, corm_driver_postgresql, corm_driver_mysql, corm_driver_mariadb;

static const corm_driver *const drivers[] = {
    &corm_driver_sqlite,
#ifdef CORM_HAVE_POSTGRESQL
    &corm_driver_postgresql,
#endif
#ifdef CORM_HAVE_MARIADB
    &corm_driver_mariadb,
    &corm_driver_mysql,
#endif
};

static bool is_among(const char *const *names, const char *name) {
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool goes_by(const corm_driver *driver, const char *name) {
    return name == NULL || strcmp(driver->name, name) == 0 || is_among(driver->other_names, name);
}

const corm_driver *corm_driver_find(const char *dialect, const char *driver_name) {
    bool known = false;
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
        if (strcmp(drivers[i]->dialect, dialect) == 0) {
            known = true;
            if (goes_by(drivers[i], driver_name)) {
                return drivers[i];
            }
            if (is_among(drivers[i]->asyncio_names, driver_name)) {
                corm_error_set(
                    CORM_NO_SUCH_MODULE,
                    "Can't load plugin: sqlalchemy.dialects:%s.%s: asyncio is not supported yet; %s:// gives "
                    "a connection without it",
                    dialect, driver_name, dialect);
                return NULL;
            }
        }
    }
    if (known) {
        corm_error_set(CORM_NO_SUCH_MODULE, "Can't load plugin: sqlalchemy.dialects:%s.%s: there is no such driver",
                       dialect, driver_name);
    } else {
        corm_error_set(CORM_NO_SUCH_MODULE, "Can't load plugin: sqlalchemy.dialects:%s: there is no such dialect",
                       dialect);
    }
    return NULL;
}
