#pragma once

#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "roles/session/token_buckets.h"

namespace muster::session {

// How often publications may change, by client and by tenant. A client that does more is told so
// and when to try again; what it registered stays as it was. Never refused: leaving, and what is
// said again. A first registration costs nothing, and no limit of a tenant stands against it: it
// may be a client that lost its session and must not lose its place in the lists (I3).
class ChangeLimits {
public:
    ChangeLimits(const RateLimit& of_client, const RateLimit& of_tenant)
        : clients_(of_client), tenants_(of_tenant) {}

    enum class Kind : unsigned char { first, change };

    // Whether `client` may do that now to a publication of `tenant`; takes what it costs when so.
    // Errors: over_limit.
    [[nodiscard]] Result<void> admit(Kind kind, const std::string& client,
                                     const std::string& tenant, MonoTime now);
    // A publication left: not to be refused, but counted.
    void left(const std::string& client, const std::string& tenant, MonoTime now);

    void sweep(MonoTime now);

    // Changes refused so far.
    [[nodiscard]] const Counter& refused_of_clients() const {
        return refused_of_clients_;
    }
    [[nodiscard]] const Counter& refused_of_tenants() const {
        return refused_of_tenants_;
    }

private:
    TokenBuckets clients_;
    TokenBuckets tenants_;
    Counter refused_of_clients_;
    Counter refused_of_tenants_;
};

}  // namespace muster::session
