#include "runtime/links/cluster_links.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "msg/codec/cluster_codec.h"
#include "runtime/links/proof.h"
#include "runtime/links/timer_keys.h"

namespace muster::runtime {

using msg::LinkEvent;

ClusterLinks::ClusterLinks(ClusterLinksOptions options, ClusterLinksEnv env)
    : options_(std::move(options)), env_(std::move(env)) {
    CHECK(!options_.node.raw().empty());
    if (!env_.nonce) {
        env_.nonce = [] { return secure_random(kNonceBytes); };
    }
    self_ = {.cluster = options_.cluster,
             .node = options_.node,
             .folder = options_.folder,
             .incarnation = options_.incarnation};
}

ClusterLinks::~ClusterLinks() {
    for (const auto& [id, conn] : connections_) {
        env_.net.close(id);
    }
    if (listener_) {
        env_.net.stop_listening(*listener_);
    }
}

Result<void> ClusterLinks::listen(const env::SocketAddress& at) {
    CHECK(!listener_);
    if (options_.secret.empty()) {
        return fail(Errc::bad_config,
                    "the cluster secret is empty: give all nodes of the cluster the same one");
    }
    auto listening = env_.net.listen(at, *this);
    if (!listening) {
        return wrap("peer port", std::move(listening).error());
    }
    listener_ = *listening;
    self_.peer_address = env::to_string(options_.advertise.value_or(local_address()));
    last_beat_ = env_.clock.mono();
    env_.timers.arm(kBeatKey, kBeat);
    return {};
}

env::SocketAddress ClusterLinks::local_address() const {
    CHECK(listener_.has_value());
    return env_.net.local_address(*listener_);
}

// ---- who is known

ClusterLinks::Peer* ClusterLinks::find_peer(const NodeId& node) {
    const auto at = peers_.find(node);
    return at == peers_.end() ? nullptr : &at->second;
}

const ClusterLinks::Peer* ClusterLinks::find_peer(const NodeId& node) const {
    const auto at = peers_.find(node);
    return at == peers_.end() ? nullptr : &at->second;
}

ClusterLinks::Peer& ClusterLinks::peer_of(const NodeId& node) {
    const auto [at, is_new] = peers_.try_emplace(node);
    if (is_new) {
        at->second.node = node;
        at->second.number = ++last_number_;
        at->second.last_heard = env_.clock.mono();
        by_number_.emplace(last_number_, node);
    }
    return at->second;
}

void ClusterLinks::erase_peer(Peer& peer) {
    stop_dialling(peer);
    by_number_.erase(peer.number);
    const NodeId node = peer.node;
    peers_.erase(node);
}

// One that is only remembered.
ClusterLinks::Peer* ClusterLinks::unneeded_peer() {
    const auto at = std::ranges::find_if(peers_, [](const auto& entry) {
        return !entry.second.learnt && !entry.second.linked() && !entry.second.attempt;
    });
    return at == peers_.end() ? nullptr : &at->second;
}

void ClusterLinks::learn(const NodeId& node, const env::SocketAddress& address) {
    CHECK(listener_.has_value());
    if (node == options_.node) {
        return;
    }
    Peer& peer = peer_of(node);
    if (peer.learnt == address) {
        return;
    }
    const bool was_learnt = peer.learnt.has_value();
    peer.learnt = address;
    if (was_learnt) {
        stop_dialling(peer);
    } else if (!peer.linked()) {
        peer.last_heard = env_.clock.mono();  // the time to reach it begins
    }
    if (needs_dial(peer)) {
        peer.backoff = Duration::zero();
        dial_after(peer, Duration::zero());
    }
}

void ClusterLinks::forget(const NodeId& node) {
    Peer* peer = find_peer(node);
    if (peer == nullptr || !peer->learnt) {
        return;
    }
    peer->learnt.reset();
    stop_dialling(*peer);
    if (!peer->linked()) {
        erase_peer(*peer);
    }
}

std::optional<LinkEvent> ClusterLinks::state(const NodeId& node) const {
    const Peer* peer = find_peer(node);
    return peer == nullptr ? std::nullopt : peer->state;
}

std::optional<RefusalReason> ClusterLinks::refusal(const NodeId& node) const {
    const Peer* peer = find_peer(node);
    return peer == nullptr ? std::nullopt : peer->last_refusal;
}

std::size_t ClusterLinks::linked_count() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(peers_, [](const auto& entry) { return entry.second.linked(); }));
}

void ClusterLinks::tell(Peer& peer, LinkEvent event) {
    if (peer.state == event) {
        return;
    }
    peer.state = event;
    stats_.events[static_cast<std::size_t>(event)].add();
    constexpr std::string_view kNames[] = {"link.up", "link.closed", "link.silent"};
    env_.log.info(kNames[static_cast<std::size_t>(event)], {{"node", peer.node.raw()}});
    env_.handler.on_link_event(NodeId(peer.node), event);
}

// ---- sending

ClusterLinks::Connection* ClusterLinks::serving(const Peer& peer) {
    // Both nodes choose the same of two.
    const bool dialled_first = options_.node < peer.node;
    const auto& first = dialled_first ? peer.dialled : peer.accepted;
    const auto& second = dialled_first ? peer.accepted : peer.dialled;
    const auto& chosen = first ? first : second;
    return chosen ? &connections_.at(*chosen) : nullptr;
}

void ClusterLinks::send(Role from, const msg::RoleAddress& to, const msg::ClusterMessage& message) {
    const Peer* peer = find_peer(to.node);
    if (peer == nullptr || !peer->linked()) {
        stats_.dropped_no_link.add();  // before the work of encoding
        return;
    }
    const char roles[] = {static_cast<char>(from), static_cast<char>(to.role)};
    send_frame(to.node, FrameKind::message, {roles, sizeof roles}, msg::encode(message));
}

void ClusterLinks::send_raw(const NodeId& to, std::uint8_t channel, std::string_view bytes) {
    const char head = static_cast<char>(channel);
    send_frame(to, FrameKind::raw, {&head, 1}, bytes);
}

void ClusterLinks::send_frame(const NodeId& to, FrameKind kind, std::string_view head,
                              std::string_view body) {
    const Peer* peer = find_peer(to);
    Connection* conn = peer == nullptr ? nullptr : serving(*peer);
    if (conn == nullptr) {
        stats_.dropped_no_link.add();
        return;
    }
    const std::size_t size = 1 + head.size() + body.size();
    if (size > options_.frame_max) {
        stats_.dropped_too_large.add();
        env_.log.warning("link.too_large", {{"node", to.raw()}, {"bytes", size}});
        return;
    }
    if (env_.net.queued_bytes(conn->id) + size > options_.queue_max_bytes) {
        stats_.dropped_queue_full.add();
        return;
    }
    std::string frame;
    frame.reserve(size + sizeof(std::uint64_t));
    append_frame(frame, kind, head, body);
    write(*conn, kind, std::move(frame));
}

bool ClusterLinks::congested(const NodeId& node) const {
    const Peer* peer = find_peer(node);
    const Connection* conn =
        peer == nullptr ? nullptr : const_cast<ClusterLinks&>(*this).serving(*peer);
    return conn != nullptr && env_.net.congested(conn->id);
}

// ---- dialling

std::optional<env::SocketAddress> ClusterLinks::address_of(const Peer& peer) {
    return peer.learnt ? peer.learnt : peer.told;
}

bool ClusterLinks::needs_dial(const Peer& peer) {
    if (peer.learnt) {
        return !peer.linked() || peer.state == LinkEvent::silent;
    }
    return peer.told && !peer.linked() && peer.probing;
}

void ClusterLinks::dial_after(Peer& peer, Duration delay) {
    if (!peer.attempt) {
        peer.dial_armed = true;
        env_.timers.arm(key_of_peer(peer.number), delay);
    }
}

void ClusterLinks::stop_dialling(Peer& peer) {
    if (std::exchange(peer.dial_armed, false)) {
        env_.timers.cancel(key_of_peer(peer.number));
    }
    if (const auto attempt = std::exchange(peer.attempt, std::nullopt)) {
        end(*attempt);
    }
}

void ClusterLinks::dial(Peer& peer) {
    if (!needs_dial(peer) || peer.attempt) {
        return;
    }
    const env::SocketAddress to = *address_of(peer);
    const env::ConnId id = env_.net.dial(to, *this);
    stats_.dials.add();
    peer.attempt = id;
    connections_.emplace(id, Connection{.id = id,
                                        .side = LinkSide::dialler,
                                        .remote = to,
                                        .node = peer.node,
                                        .connected = false,
                                        .since = env_.clock.mono()});
}

void ClusterLinks::on_dial_failed(Peer& peer, bool by_its_machine) {
    stats_.dial_failures.add();
    if (by_its_machine && peer.linked() && peer.state == LinkEvent::silent) {
        // Its end did not reach us.
        for (const auto id : {std::exchange(peer.dialled, std::nullopt),
                              std::exchange(peer.accepted, std::nullopt)}) {
            if (id) {
                end(*id);
            }
        }
    }
    if (by_its_machine && !peer.linked()) {
        peer.probing = false;
        tell(peer, LinkEvent::closed);
    }
    if (needs_dial(peer)) {
        peer.backoff = std::clamp(2 * peer.backoff, options_.backoff_min, options_.backoff_max);
        const auto most = peer.backoff.count();
        dial_after(peer, Duration(env_.prng.between(most / 2, most)));
    }
}

void ClusterLinks::on_link_lost(Peer& peer) {
    stats_.links_lost.add();
    peer.last_heard = env_.clock.mono();
    peer.probing = true;
    if (needs_dial(peer)) {
        peer.backoff = Duration::zero();
        dial_after(peer, Duration::zero());
    }
}

void ClusterLinks::on_timer(env::TimerKey key) {
    if (key == kBeatKey) {
        beat();
        return;
    }
    const auto at = by_number_.find(number_of_peer(key));
    if (at == by_number_.end()) {
        return;
    }
    Peer& peer = peers_.at(at->second);
    peer.dial_armed = false;
    dial(peer);
}

void ClusterLinks::write_metrics(MetricsWriter& writer) const {
    std::int64_t up = 0;
    std::int64_t silent = 0;
    for (const auto& [node, peer] : peers_) {
        up += peer.state == LinkEvent::up ? 1 : 0;
        silent += peer.state == LinkEvent::silent ? 1 : 0;
    }
    writer.gauge("muster_link_up", "Nodes that are linked and heard.", up);
    writer.gauge("muster_link_silent", "Nodes that are known and not heard.", silent);
    writer.gauge("muster_link_learnt", "Nodes that are to be linked.",
                 std::ranges::count_if(
                     peers_, [](const auto& entry) { return entry.second.learnt.has_value(); }));
    writer.gauge("muster_link_unproved", "Accepted connections that have not proved the secret.",
                 static_cast<std::int64_t>(pending_));
    stats_.write_metrics(writer);
}

}  // namespace muster::runtime
