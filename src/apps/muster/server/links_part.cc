#include "apps/muster/server/links_part.h"

#include <cerrno>
#include <optional>
#include <utility>

#include <sys/random.h>

#include "apps/muster/server/missing_metas.h"
#include "base/check.h"

namespace muster::cli {
namespace {

constexpr std::uint8_t kRaftChannel = 1;

std::string random_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
        const ssize_t got = ::getrandom(bytes.data() + filled, size - filled, 0);
        CHECK_BECAUSE(got > 0 || errno == EINTR, "the kernel gives random bytes");
        filled += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    return bytes;
}

// Where to listen. Others are told a free port with the address, so that cannot be a wildcard.
env::SocketAddress listen_address(const Foundation& base) {
    env::SocketAddress at = peer_listen_address(base.config);
    if (at.port == 0) {
        at.ip = reachable_ip(base, at.ip);
    }
    return at;
}

// What others are told when it is not where this listens.
std::optional<env::SocketAddress> advertised_address(const Foundation& base) {
    if (base.config.cluster.advertise) {
        return base.config.cluster.advertise;
    }
    const env::SocketAddress at = listen_address(base);
    if (at.port == 0) {
        return std::nullopt;
    }
    return env::SocketAddress{.ip = reachable_ip(base, at.ip), .port = at.port};
}

runtime::ClusterLinksOptions links_options(const Foundation& base, std::string secret) {
    return {.cluster = base.identity.owner.cluster,
            .secret = std::move(secret),
            .node = base.identity.node(),
            .folder = base.identity.owner.folder,
            .incarnation = base.identity.life.now,
            .advertise = advertised_address(base)};
}

}  // namespace

LinksPart::LinksPart(Foundation& base, std::string secret)
    : base_(base),
      timers_(*base.loop),
      bus_(*base.bus, base.identity.node()),
      links_(links_options(base, std::move(secret)),
             runtime::ClusterLinksEnv{
                 .net = *base.net,
                 .timers = timers_,
                 .clock = *base.loop,
                 .prng = Prng(base.identity.owner.folder + base.identity.life.now.raw()),
                 .handler = bus_,
                 .log = base.log,
                 .nonce = [] { return random_bytes(runtime::kNonceBytes); },
                 .gathered = base.net.get()}) {
    timers_.bind(links_);
    bus_.connect(links_);
}

Result<std::unique_ptr<LinksPart>> LinksPart::create(Foundation& base) {
    auto secret = cluster_secret(base.config);
    MUSTER_TRY(secret);
    auto part = std::unique_ptr<LinksPart>(new LinksPart(base, *std::move(secret)));
    MUSTER_TRY(part->listen(listen_address(base)));
    for (const runtime::NodeAddress& meta : base.config.cluster.join) {
        part->links_.learn(meta.node, meta.address);
    }
    return part;
}

Result<void> LinksPart::listen(const env::SocketAddress& wanted) {
    if (auto listens = links_.listen(wanted); !listens) {
        return explain_listen(std::move(listens).error(), "cluster.listen", wanted);
    }
    peer_address_ = env::to_string(advertised_address(base_).value_or(links_.local_address()));
    return {};
}

void LinksPart::serve(raft::RaftNode& raft) {
    bus_.on_raw(kRaftChannel, [&raft](const NodeId& /*from*/, std::string_view bytes) {
        return raft.on_message(bytes);
    });
}

void LinksPart::follow(const std::vector<Member>& members) {
    std::map<NodeId, std::string> wanted;
    for (const Member& member : members) {
        if (member.role == Role::data && member.node != base_.identity.node()) {
            wanted.emplace(member.node,
                           member.peer_address.empty() ? member.address : member.peer_address);
        }
    }
    for (const runtime::NodeAddress& meta : base_.config.cluster.join) {
        wanted.erase(meta.node);  // linked for good
    }
    for (const auto& [node, address] : followed_) {
        if (!wanted.contains(node)) {
            links_.forget(node);
        }
    }
    for (const auto& [node, text] : wanted) {
        const auto known = followed_.find(node);
        const auto address = env::parse_socket_address(text);
        if (address && (known == followed_.end() || known->second != text)) {
            links_.learn(node, *address);
        }
    }
    followed_ = std::move(wanted);
}

std::string LinksPart::say_linked() const {
    std::vector<MissingMeta> missing;
    std::size_t others = 0;
    for (const runtime::NodeAddress& meta : base_.config.cluster.join) {
        if (meta.node == base_.identity.node()) {
            continue;
        }
        ++others;
        if (links_.state(meta.node) != msg::LinkEvent::up) {
            missing.push_back({.node = meta.node.raw(),
                               .address = env::to_string(meta.address),
                               .refusal = links_.refusal(meta.node)});
        }
    }
    return say_missing(missing, others);
}

void LinksPart::send(const NodeId& to, std::string bytes) {
    links_.send_raw(to, kRaftChannel, bytes);
}

void LinksPart::write_metrics(MetricsWriter& writer) const {
    links_.write_metrics(writer);
}

}  // namespace muster::cli
