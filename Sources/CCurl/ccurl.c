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

// An answer of more than this is cut off: nobody reads it.
static const size_t longest_answer = 1 << 16;

static size_t forget(char *bytes, size_t size, size_t count, void *received) {
    (void)bytes;
    *(size_t *)received += size * count;
    return *(size_t *)received > longest_answer ? 0 : size * count;
}

void ccurl_post(
    const char *url, const char *const *headers, const void *body, size_t count, ccurl_rules rules, ccurl_outcome *outcome) {
    memset(outcome, 0, sizeof *outcome);
    CURL *curl = curl_easy_init();
    struct curl_slist *list = NULL;
    for (; *headers; headers++) {
        struct curl_slist *longer = curl_slist_append(list, *headers);
        if (!longer) break;
        list = longer;
    }
    if (!curl || *headers) {
        snprintf(outcome->error, sizeof outcome->error, "out of memory");
        curl_slist_free_all(list);
        curl_easy_cleanup(curl);
        return;
    }
    char reason[CURL_ERROR_SIZE] = "";
    size_t received = 0;
    call call = {rules, outcome};
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, rules.allows_http ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, rules.timeout_milliseconds);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, &call);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, forget);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &received);
    if (rules.ca_file) curl_easy_setopt(curl, CURLOPT_CAINFO, rules.ca_file);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &outcome->status);
    // A status that came before the answer was cut off is an answer.
    if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && outcome->status)) {
        outcome->status = 0;
        snprintf(
            outcome->error, sizeof outcome->error, "%s", outcome->is_blocked ? "the address is not a public one"
                : *reason ? reason : curl_easy_strerror(code));
    }
    curl_slist_free_all(list);
    curl_easy_cleanup(curl);
}
