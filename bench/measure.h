/* What the benchmarks in C share: the time, a check that ends the program, the median. */
#ifndef CORM_BENCH_MEASURE_H
#define CORM_BENCH_MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cormorant.h>

static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline void must(int good, const char *what) {
    if (!good) {
        fprintf(stderr, "%s failed: %s\n", what, corm_error_last()->message == NULL ? "" : corm_error_last()->message);
        exit(1);
    }
}

static inline int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

static inline double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

#endif
