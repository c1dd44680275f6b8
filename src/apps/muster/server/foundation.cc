#include "apps/muster/server/foundation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "apps/muster/server/folder_check.h"
#include "apps/muster/server/role_options.h"
#include "runtime/net/sockets.h"

namespace muster::cli {
namespace {

Result<Identity> identify(const runtime::DataFolder& folder, const runtime::ServerConfig& config,
                          WallTime now) {
    const bool clustered = is_clustered(config);
    MUSTER_TRY(check_formats(folder, clustered));
    auto owner = claim_folder(
        folder, {.node = NodeId(config.node_id), .cluster = clustered ? config.cluster.name : ""});
    MUSTER_TRY(owner);
    auto life = begin_life(folder, now);
    MUSTER_TRY(life);
    Identity identity{.owner = *std::move(owner), .life = *life, .metas = {}};
    for (const runtime::NodeAddress& meta : config.cluster.join) {
        identity.metas.push_back(meta.node);
    }
    if (!clustered) {
        identity.metas = {identity.node()};
    }
    std::ranges::sort(identity.metas);
    return identity;
}

}  // namespace

Result<std::unique_ptr<Foundation>> Foundation::create(const runtime::ServerConfig& config,
                                                       Log log) {
    auto folder = runtime::DataFolder::open(config.data_dir);
    if (!folder) {
        return std::unexpected(std::move(folder).error());
    }
    auto loop = runtime::Loop::create();
    if (!loop) {
        return std::unexpected(std::move(loop).error());
    }
    auto identity = identify(*folder, config, (*loop)->wall());
    MUSTER_TRY(identity);
    auto base = std::unique_ptr<Foundation>(new Foundation{.config = config,
                                                           .log = log,
                                                           .loop = *std::move(loop),
                                                           .folder = *std::move(folder),
                                                           .identity = *std::move(identity),
                                                           .net = nullptr,
                                                           .bus = nullptr});
    base->net = std::make_unique<runtime::TcpNet>(*base->loop, net_options(config));
    base->bus = std::make_unique<runtime::LocalBus>(*base->loop, runtime::LocalBusOptions{});
    return base;
}

void Foundation::write_metrics(MetricsWriter& writer) const {
    net->write_metrics(writer);
    bus->write_metrics(writer);
    loop->write_metrics(writer);
}

std::unexpected<Error> explain_listen(Error error, std::string_view key,
                                      const env::SocketAddress& at) {
    error.detail = "cannot listen at " + env::to_string(at) + " (" + error.detail +
                   "); stop what uses it, or choose another with --set " + std::string(key) +
                   "=ip:port";
    return std::unexpected(std::move(error));
}

std::string reachable_ip(const Foundation& base, const std::string& ip) {
    if (ip != "0.0.0.0" && ip != "::") {
        return ip;
    }
    const auto& metas = base.config.cluster.join;
    if (metas.empty()) {
        return "127.0.0.1";
    }
    return runtime::local_ip_towards(metas.front().address).value_or("127.0.0.1");
}

}  // namespace muster::cli
