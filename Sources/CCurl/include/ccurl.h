#ifndef CCURL_H
#define CCURL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/// What may be called.
typedef struct {
    /// Whether addresses may be called that are not of the public internet.
    bool allows_private;
    /// Whether http may be spoken, not https alone.
    bool allows_http;
    /// Authorities in a file of PEM in place of the system's, or NULL.
    const char *ca_file;
    long timeout_milliseconds;
} ccurl_rules;

/// What came of a call.
typedef struct {
    /// The answer's status; 0 if there was none.
    long status;
    /// Bytes of the answer's body.
    size_t received;
    /// Whether an address was refused.
    bool is_blocked;
    /// Why there was no answer, or empty.
    char error[256];
} ccurl_outcome;

/// Once, before any other thread calls anything here.
void ccurl_start(void);

/// Posts a body and forgets what is answered but for its status. No redirect is followed, no proxy is used, no credential is sent
/// but those among `headers`, which end with NULL. The address that the socket is opened to is what is checked, so a name cannot
/// change its meaning between a check and the call.
void ccurl_post(
    const char *url, const char *const *headers, const void *body, size_t count, ccurl_rules rules, ccurl_outcome *outcome);

/// Gets a body, as it is sent, into `answer`; one of more than `capacity` bytes is an error. All else is as with a post.
void ccurl_get(
    const char *url, const char *const *headers, void *answer, size_t capacity, ccurl_rules rules, ccurl_outcome *outcome);

/// Whether an address, as text, is one of the public internet; false for what is no address.
bool ccurl_is_public(const char *address);

#endif
