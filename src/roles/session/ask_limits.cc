#include "roles/session/ask_limits.h"

namespace muster::session {

Error AskLimits::too_often(const std::string& who, std::string_view whose, Duration wait) const {
    std::string text = who + " ";
    text.append(words_.does).append(" more often than it may; the next ").append(words_.one);
    text.append(" can be taken in ").append(std::to_string(to_ms(wait) + 1));
    text.append(" ms (limit session.").append(whose).append("_").append(words_.setting).append(")");
    return {Errc::over_limit, std::move(text)};
}

Result<void> AskLimits::admit(const std::string& client, const std::string& tenant, MonoTime now) {
    if (const Duration wait = clients_.until_token(client, now); wait > Duration{}) {
        refused_of_clients_.add();
        return std::unexpected(too_often("this client", "client", wait));
    }
    if (tenant.empty()) {
        clients_.take(client, now);
        return {};
    }
    if (const Duration wait = tenants_.until_token(tenant, now); wait > Duration{}) {
        refused_of_tenants_.add();
        return std::unexpected(too_often("tenant '" + tenant + "'", "tenant", wait));
    }
    clients_.take(client, now);
    tenants_.take(tenant, now);
    return {};
}

void AskLimits::sweep(MonoTime now) {
    clients_.sweep(now);
    tenants_.sweep(now);
}

}  // namespace muster::session
