/*
 * An endpoint that says whether the work may go on: any answer of 2xx.  What does
 * not answer in time, answers something else, or leads elsewhere says no.
 */
#include <curl/curl.h>

#include "osc/db/throttle_signals.h"

enum { CONNECT_MS = 1000, ANSWER_MS = 2000, LEAST_GOOD = 200, LEAST_BAD = 300 };

enum reading signal_http(struct look *look, uint64_t *value, struct error *err)
{
    char trouble[CURL_ERROR_SIZE] = "";
    CURL *curl = curl_easy_init();
    long status = 0;

    if (!curl) { /* uncovered: memory does not end in a test */
        error_set(err, ERROR_TRANSIENT, "libcurl does not start");
        return READING_UNKNOWN;
    }
    (void)curl_easy_setopt(curl, CURLOPT_URL, look->limits->http);
    (void)curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, trouble);
    const CURLcode code = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    if (code != CURLE_OK) {
        error_set(err, ERROR_TRANSIENT, "%s", *trouble ? trouble : curl_easy_strerror(code));
        return READING_UNKNOWN;
    }
    *value = status < LEAST_GOOD || status >= LEAST_BAD;
    return READING_KNOWN;
}
