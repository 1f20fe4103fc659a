/* The table of drivers: adding a database adds a line. */
#include <string.h>

#include "driver/driver.h"

extern const corm_driver corm_driver_sqlite;

static const corm_driver *const drivers[] = {&corm_driver_sqlite};

const corm_driver *corm_driver_find(const char *dialect, const char *driver_name) {
    bool known = false;
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
        if (strcmp(drivers[i]->dialect, dialect) == 0) {
            known = true;
            if (driver_name == NULL || strcmp(drivers[i]->name, driver_name) == 0) {
                return drivers[i];
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
