#include "ccurl.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void ccurl_start(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

typedef struct {
    uint32_t first;
    int bits;
} block4;

// IANA's registry of special-purpose addresses (RFC 6890 and after), and multicast.
static const block4 special4[] = {
    {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16}, {0xAC100000, 12},
    {0xC0000000, 24}, {0xC0000200, 24}, {0xC0586300, 24}, {0xC0A80000, 16}, {0xC6120000, 15}, {0xC6336400, 24},
    {0xCB007100, 24}, {0xE0000000, 4},  {0xF0000000, 4},
};

static bool is_public4(uint32_t address) {
    for (size_t i = 0; i < sizeof special4 / sizeof *special4; i++)
        if ((address ^ special4[i].first) >> (32 - special4[i].bits) == 0) return false;
    return true;
}

static uint32_t word(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static bool is_public6(const uint8_t *bytes) {
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    static const uint8_t translated[12] = {0x00, 0x64, 0xFF, 0x9B};
    // Of those that carry a version 4 address, that one decides.
    if (!memcmp(bytes, mapped, 12) || !memcmp(bytes, translated, 12)) return is_public4(word(bytes + 12));
    if (bytes[0] == 0x20 && bytes[1] == 0x02) return is_public4(word(bytes + 2));
    // Nothing but global unicast, and of that neither IETF's protocols (2001::/23, Teredo among them), nor documentation.
    if (bytes[0] >> 5 != 1) return false;
    if (bytes[0] == 0x20 && bytes[1] == 0x01 && (bytes[2] < 2 || (bytes[2] == 0x0D && bytes[3] == 0xB8))) return false;
    return !(bytes[0] == 0x3F && bytes[1] == 0xFF && bytes[2] < 0x10);
}

static bool is_public(const struct sockaddr *address) {
    switch (address->sa_family) {
    case AF_INET: return is_public4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
    case AF_INET6: return is_public6(((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr);
    default: return false;
    }
}

bool ccurl_is_public(const char *address) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) return is_public((struct sockaddr *)&v4);
    return inet_pton(AF_INET6, address, &v6.sin6_addr) == 1 && is_public((struct sockaddr *)&v6);
}

typedef struct {
    ccurl_rules rules;
    ccurl_outcome *outcome;
    // Where the answer's body goes; NULL if nobody reads it.
    char *answer;
    size_t capacity;
} call;

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    call *call = context;
    if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
    if (!call->rules.allows_private && !is_public(&address->addr)) {
        call->outcome->is_blocked = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// Taking fewer bytes than there are ends the call with CURLE_WRITE_ERROR.
static size_t take(char *bytes, size_t size, size_t count, void *context) {
    call *call = context;
    count *= size;
    if (count > call->capacity - call->outcome->received) return 0;
    if (call->answer) memcpy(call->answer + call->outcome->received, bytes, count);
    call->outcome->received += count;
    return count;
}

static void set_rules(CURL *curl, call *call) {
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, call->rules.allows_http ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, call->rules.timeout_milliseconds);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, call);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
    if (call->rules.ca_file) curl_easy_setopt(curl, CURLOPT_CAINFO, call->rules.ca_file);
}

static void perform(CURL *curl, call *call) {
    char reason[CURL_ERROR_SIZE] = "";
    ccurl_outcome *outcome = call->outcome;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &outcome->status);
    if (code == CURLE_OK) return;
    bool is_cut_off = code == CURLE_WRITE_ERROR && outcome->status;
    // A status that came before the answer was cut off is an answer, for who does not read it.
    if (is_cut_off && !call->answer) return;
    outcome->status = 0;
    if (is_cut_off)
        snprintf(outcome->error, sizeof outcome->error, "the answer has more than %zu bytes", call->capacity);
    else
        snprintf(
            outcome->error, sizeof outcome->error, "%s", outcome->is_blocked ? "the address is not a public one"
                : *reason ? reason : curl_easy_strerror(code));
}

// Does a call that `body`, if there is one, makes a post.
static void run(const char *url, const char *const *headers, const void *body, size_t count, call *call) {
    memset(call->outcome, 0, sizeof *call->outcome);
    CURL *curl = curl_easy_init();
    struct curl_slist *list = NULL;
    for (; *headers; headers++) {
        struct curl_slist *longer = curl_slist_append(list, *headers);
        if (!longer) break;
        list = longer;
    }
    if (!curl || *headers) {
        snprintf(call->outcome->error, sizeof call->outcome->error, "out of memory");
    } else {
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
        if (body) {
            curl_easy_setopt(curl, CURLOPT_POST, 1L);
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
        }
        set_rules(curl, call);
        perform(curl, call);
    }
    curl_slist_free_all(list);
    curl_easy_cleanup(curl);
}

// An answer of more than this is cut off: nobody reads it.
static const size_t longest_answer = 1 << 16;

void ccurl_post(
    const char *url, const char *const *headers, const void *body, size_t count, ccurl_rules rules, ccurl_outcome *outcome) {
    call call = {rules, outcome, NULL, longest_answer};
    run(url, headers, body ? body : "", count, &call);
}

void ccurl_get(
    const char *url, const char *const *headers, void *answer, size_t capacity, ccurl_rules rules, ccurl_outcome *outcome) {
    call call = {rules, outcome, answer, capacity};
    run(url, headers, NULL, 0, &call);
}
