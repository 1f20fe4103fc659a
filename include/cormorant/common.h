/* What every public header needs: fixed-width integers, visibility and attributes. */
#ifndef CORMORANT_COMMON_H
#define CORMORANT_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CORM_API __attribute__((visibility("default")))
#define CORM_PRINTF(format, first) __attribute__((__format__(__printf__, format, first)))
#define CORM_MUST_CHECK __attribute__((warn_unused_result))
#else
#define CORM_API
#define CORM_PRINTF(format, first)
#define CORM_MUST_CHECK
#endif

#endif
