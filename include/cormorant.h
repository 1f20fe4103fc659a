/*
 * Cormorant: structs as mapped objects.
 *
 *     common.h    what every header needs
 *     error.h     what failed, and why
 *     value.h     tagged values
 *     engine.h    databases by URL
 *     mapping.h   structs, fields, relationships
 *     session.h   the unit of work, collections, references
 *     query.h     expressions and queries
 *
 * See the README for a first program, examples/ for more.
 */
#ifndef CORMORANT_H
#define CORMORANT_H

#include <cormorant/common.h>
#include <cormorant/engine.h>
#include <cormorant/error.h>
#include <cormorant/mapping.h>
#include <cormorant/query.h>
#include <cormorant/session.h>
#include <cormorant/value.h>

#endif
