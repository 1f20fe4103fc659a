/* Database URLs: what is parsed and rendered must parse again to the same text. */
#include <assert.h>
#include <string.h>

#include "fuzz.h"

#include "base/alloc.h"
#include "engine/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = corm_strndup((const char *)data, size);
    corm_url *url, *again;
    if (text != NULL && corm_url_parse(text, &url) == CORM_OK) {
        corm_text rendered = CORM_TEXT_EMPTY, second = CORM_TEXT_EMPTY, hidden = CORM_TEXT_EMPTY;
        corm_url_render(url, false, &rendered);
        corm_url_render(url, true, &hidden);
        assert(corm_url_parse(rendered.data, &again) == CORM_OK);
        corm_url_render(again, false, &second);
        assert(strcmp(rendered.data, second.data) == 0);
        corm_url_free(again);
        corm_url_free(url);
        corm_text_clear(&rendered);
        corm_text_clear(&second);
        corm_text_clear(&hidden);
    }
    corm_free(text);
    return 0;
}
