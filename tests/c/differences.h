/* What differs between databases, in one place: tests that do not hold on each, with the reason. See differences.c. */
#ifndef CORM_TEST_DIFFERENCES_H
#define CORM_TEST_DIFFERENCES_H

#include "support.h"

/* Run the tests of an array that hold on this run's database; the others are named with the reason. */
#define run_stories(tests) run_stories_of(__FILE__, (tests), sizeof(tests) / sizeof *(tests))
int run_stories_of(const char *file, const struct CMUnitTest *tests, size_t count);

#endif
