#include "roles/session/change_limits.h"

namespace muster::session {
namespace {

Error too_often(const std::string& who, Duration wait) {
    return {Errc::over_limit, who +
                                  " changes publications more often than it may; the next one can "
                                  "be taken in " +
                                  std::to_string(to_ms(wait) + 1) + " ms"};
}

}  // namespace

Result<void> ChangeLimits::admit(Kind kind, const std::string& client, const std::string& tenant,
                                 MonoTime now) {
    if (const Duration wait = clients_.until_token(client, now); wait > Duration{}) {
        refused_of_clients_.add();
        return std::unexpected(too_often("this client", wait));
    }
    if (kind == Kind::first) {
        return {};
    }
    if (const Duration wait = tenants_.until_token(tenant, now); wait > Duration{}) {
        refused_of_tenants_.add();
        return std::unexpected(too_often("tenant '" + tenant + "'", wait));
    }
    left(client, tenant, now);
    return {};
}

void ChangeLimits::left(const std::string& client, const std::string& tenant, MonoTime now) {
    clients_.take(client, now);
    tenants_.take(tenant, now);
}

void ChangeLimits::sweep(MonoTime now) {
    clients_.sweep(now);
    tenants_.sweep(now);
}

}  // namespace muster::session
