/*
 * Runs a target without libFuzzer: random changes of its seeds, for some seconds.
 *
 * usage: TARGET [SECONDS] [SEED]; or TARGET FILE: that input once
 */
#include <signal.h>
#include <time.h>

#include "fuzz.h"

enum { LONGEST = 512 };

static uint64_t state;

static unsigned next_random(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33);
}

static size_t mutate(uint8_t *input, size_t size) {
    static const char interesting[] = "/:@?=&%#.,-+TZ \"'`;\\()[]{}\n\t\0\x7f\x80\xff";
    for (unsigned changes = next_random() % 6; changes > 0; changes--) {
        size_t at = size == 0 ? 0 : next_random() % size;
        switch (next_random() % 5) {
        case 0: /* put in */
            if (size < LONGEST) {
                memmove(input + at + 1, input + at, size - at);
                input[at] = (uint8_t)interesting[next_random() % (sizeof interesting - 1)];
                size++;
            }
            break;
        case 1: /* take out */
            if (size > 0) {
                memmove(input + at, input + at + 1, size - at - 1);
                size--;
            }
            break;
        case 2: /* change */
            if (size > 0) {
                input[at] = (uint8_t)next_random();
            }
            break;
        case 3: { /* repeat a part */
            size_t length = size == 0 ? 0 : next_random() % (size - at + 1);
            if (size + length <= LONGEST) {
                memmove(input + size, input + at, length);
                size += length;
            }
            break;
        }
        default: /* a digit */
            if (size > 0) {
                input[at] = (uint8_t)('0' + next_random() % 10);
            }
        }
    }
    return size;
}

/* Shown when the program is ended by a target. */
static const uint8_t *last_input;
static size_t last_size;

static void keep(const uint8_t *input, size_t size) {
    last_input = input;
    last_size = size;
}

static void show_input(int signal_number) {
    (void)signal_number;
    fprintf(stderr, "input: ");
    for (size_t i = 0; i < last_size; i++) {
        fprintf(stderr, last_input[i] >= ' ' && last_input[i] < 127 ? "%c" : "\\x%02x", last_input[i]);
    }
    fprintf(stderr, "\n");
    _Exit(1);
}

static int run_file(const char *name) {
    static uint8_t input[1 << 20];
    FILE *file = fopen(name, "rb");
    if (file == NULL) {
        perror(name);
        return 1;
    }
    size_t size = fread(input, 1, sizeof input, file);
    fclose(file);
    return LLVMFuzzerTestOneInput(input, size);
}

int main(int argc, char **argv) {
    uint8_t input[2 * LONGEST];
    char *end = NULL;
    double seconds = argc > 1 ? strtod(argv[1], &end) : 1;
    if (end != NULL && *end != '\0') {
        return run_file(argv[1]);
    }
    signal(SIGABRT, show_input);
    state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    clock_t limit = clock() + (clock_t)(seconds * CLOCKS_PER_SEC);
    size_t seeds = 0;
    long runs = 0;
    while (fuzz_seeds[seeds] != NULL) {
        seeds++;
    }
    for (; clock() < limit; runs++) {
        const char *seed = fuzz_seeds[next_random() % seeds];
        size_t size = strlen(seed) > LONGEST ? LONGEST : strlen(seed);
        memcpy(input, seed, size);
        size = mutate(input, size);
        keep(input, size);
        LLVMFuzzerTestOneInput(input, size);
    }
    printf("inputs: %ld tried\n", runs);
    return 0;
}
