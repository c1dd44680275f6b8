#pragma once

#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "roles/session/token_buckets.h"

namespace muster::session {

// What is limited, in the words of who is refused.
struct AskWords {
    std::string_view does;     // "subscribes"
    std::string_view one;      // "subscription"
    std::string_view setting;  // "subscribes": session.client_subscribes, session.tenant_subscribes
};

// How often clients may ask for something that changes nothing for others, subscriptions or
// queries, by client and by tenant. Who asks more often is told so and when to ask again; what it
// had it keeps. What is asked again on the same connection is not put to these limits.
//
// A refused subscription is not lost: a Java client sends it again every 500 ms until it is taken
// (success = false without refused; the conformance suite shows it of 5.4.0 and 6.5.6), the SDK
// after a growing pause, both with the list they hold meanwhile. A Java client that comes back
// after its connection was lost cannot be told from a new one, for it does not say what it holds:
// the limits stand against it, and should leave room for all that one client subscribes. One that
// says what it holds is known to be coming back, and no limit of its tenant stands against it.
class AskLimits {
public:
    AskLimits(AskWords words, const RateLimit& of_client, const RateLimit& of_tenant)
        : words_(words), clients_(of_client), tenants_(of_tenant) {}

    // Takes one of `client`, and of `tenant` unless that is empty. Refused, it costs nobody.
    // Errors: over_limit.
    [[nodiscard]] Result<void> admit(const std::string& client, const std::string& tenant,
                                     MonoTime now);

    void sweep(MonoTime now);

    // Refused so far.
    [[nodiscard]] const Counter& refused_of_clients() const {
        return refused_of_clients_;
    }
    [[nodiscard]] const Counter& refused_of_tenants() const {
        return refused_of_tenants_;
    }

private:
    [[nodiscard]] Error too_often(const std::string& who, std::string_view whose,
                                  Duration wait) const;

    AskWords words_;
    TokenBuckets clients_;
    TokenBuckets tenants_;
    Counter refused_of_clients_;
    Counter refused_of_tenants_;
};

}  // namespace muster::session
