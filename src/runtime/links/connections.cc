#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "runtime/links/cluster_links.h"

// The connections of ClusterLinks: from the first byte to the last.
namespace muster::runtime {

using msg::LinkEvent;

namespace {

constexpr Duration kStrangerLogPause = std::chrono::seconds(1);

std::size_t bytes_of_frame(std::size_t content) {
    std::size_t length = 1 + content;
    std::size_t size = length + 1;
    while (length >= 0x80) {
        length >>= 7U;
        ++size;
    }
    return size;
}

// A node that listens everywhere does not know by which address it is reached.
std::optional<env::SocketAddress> told_address(const LinkHello& hello,
                                               const env::SocketAddress& remote) {
    auto told = env::parse_socket_address(hello.peer_address);
    if (!told || told->port == 0) {
        return std::nullopt;
    }
    if (told->ip == "0.0.0.0" || told->ip == "::") {
        told->ip = remote.ip;
    }
    return *told;
}

}  // namespace

// ---- beginning

std::unique_ptr<Handshake> ClusterLinks::new_handshake(const Connection& conn) const {
    LinkHello self = self_;
    self.nonce = env_.nonce();
    return std::make_unique<Handshake>(
        Handshake::Options{.side = conn.side, .self = std::move(self), .expected = conn.node},
        options_.secret, static_cast<const LinkAdmission&>(*this));
}

void ClusterLinks::on_accepted(env::ConnId id, const env::SocketAddress& peer) {
    if (pending_ >= options_.pending_max) {
        // The oldest one: who knows the secret is done long before it gets old.
        const Connection* oldest = nullptr;
        for (const auto& [other, conn] : connections_) {
            if (!conn.up && conn.side == LinkSide::accepter &&
                (oldest == nullptr || conn.since < oldest->since)) {
                oldest = &conn;
            }
        }
        CHECK(oldest != nullptr);
        stats_.over_pending_max.add();
        end(oldest->id);
    }
    Connection conn{
        .id = id, .side = LinkSide::accepter, .remote = peer, .since = env_.clock.mono()};
    conn.handshake = new_handshake(conn);
    connections_.emplace(id, std::move(conn));
    ++pending_;
}

void ClusterLinks::on_connected(env::ConnId id) {
    Connection& conn = connections_.at(id);
    conn.connected = true;
    conn.since = env_.clock.mono();
    conn.handshake = new_handshake(conn);
    write(conn, FrameKind::hello, conn.handshake->open());
}

std::optional<LinkRefusal> ClusterLinks::admit(const LinkHello& hello) const {
    const auto refuse = [](RefusalReason reason, std::string sentence) {
        return LinkRefusal{.reason = reason, .sentence = std::move(sentence)};
    };
    const std::string& name = hello.node.raw();
    if (hello.node == options_.node) {
        const bool is_self =
            hello.folder == options_.folder && hello.incarnation == options_.incarnation;
        return refuse(RefusalReason::own_id,
                      is_self ? fmt::format("this address is that of node '{}' itself: correct the "
                                            "address of the other node",
                                            name)
                              : fmt::format("node id '{}' is in use by the node that was dialled: "
                                            "give each node an id of its own",
                                            name));
    }
    const Peer* peer = find_peer(hello.node);
    if (peer == nullptr) {
        const bool is_room = peers_.size() < options_.peers_max ||
                             const_cast<ClusterLinks&>(*this).unneeded_peer() != nullptr;
        return is_room ? std::nullopt
                       : std::optional(refuse(RefusalReason::over_limit,
                                              fmt::format("node '{}' is linked to {} nodes, and "
                                                          "takes no more: stop nodes that are not "
                                                          "needed, or make the cluster smaller",
                                                          options_.node.raw(), peers_.size())));
    }
    if (peer->linked() && peer->folder != hello.folder) {
        return refuse(RefusalReason::id_in_use,
                      fmt::format("node id '{}' is in use by a process with another data folder: "
                                  "give this node an id of its own, or stop the other one first",
                                  name));
    }
    if (peer->linked() && hello.incarnation < peer->incarnation) {
        return refuse(
            RefusalReason::older_life,
            fmt::format("a later start of node '{}' is linked already: stop this one", name));
    }
    return std::nullopt;
}

// ---- bytes

void ClusterLinks::write(Connection& conn, FrameKind kind, std::string frames) {
    if (frames.empty()) {
        return;
    }
    LinkStats::Traffic& traffic = stats_.sent[static_cast<std::size_t>(kind)];
    traffic.frames.add();
    traffic.bytes.add(frames.size());
    conn.last_sent = env_.clock.mono();
    if (env_.gathered != nullptr) {
        env_.gathered->send_gathered(conn.id, std::move(frames));
    } else {
        env_.net.send(conn.id, std::move(frames));
    }
}

void ClusterLinks::on_bytes(env::ConnId id, std::string_view bytes) {
    const auto at = connections_.find(id);
    if (at == connections_.end()) {
        return;
    }
    if (at->second.up) {
        heard(at->second);
    }
    const auto fed = at->second.reader.feed(bytes, [&](FrameKind kind, std::string_view content) {
        return on_frame(id, kind, content);
    });
    if (!fed) {
        static_cast<void>(end_garbled(at->second, to_string(fed.error())));
    }
}

void ClusterLinks::heard(const Connection& conn) {
    Peer& peer = *find_peer(*conn.node);
    peer.last_heard = env_.clock.mono();
    if (peer.state == LinkEvent::silent) {
        stop_dialling(peer);
        tell(peer, LinkEvent::up);
    }
}

bool ClusterLinks::on_frame(env::ConnId id, FrameKind kind, std::string_view content) {
    const auto at = connections_.find(id);
    if (at == connections_.end()) {
        return false;
    }
    LinkStats::Traffic& traffic = stats_.received[static_cast<std::size_t>(kind)];
    traffic.frames.add();
    traffic.bytes.add(bytes_of_frame(content.size()));
    Connection& conn = at->second;
    if (!conn.up) {
        return on_handshake_frame(conn, kind, content);
    }
    switch (kind) {
        case FrameKind::ping: return true;
        case FrameKind::bye: on_bye(conn); return false;
        case FrameKind::message: on_message(NodeId(*conn.node), content); break;
        case FrameKind::raw: on_raw(NodeId(*conn.node), content); break;
        case FrameKind::refusal: {
            log_refusal(conn, decode_refusal(content), true);
            end(id);
            return false;
        }
        case FrameKind::hello:
        case FrameKind::proof:
        case FrameKind::ready: return end_garbled(conn, "a second handshake");
    }
    return connections_.contains(id);
}

bool ClusterLinks::on_handshake_frame(Connection& conn, FrameKind kind, std::string_view content) {
    Handshake::Step step = conn.handshake->on_frame(kind, content);
    switch (step.outcome) {
        case Handshake::Outcome::going_on:
            write(conn,
                  kind == FrameKind::hello && conn.side == LinkSide::accepter ? FrameKind::hello
                                                                              : FrameKind::proof,
                  std::move(step.send));
            return true;
        case Handshake::Outcome::done: {
            write(conn, FrameKind::ready, std::move(step.send));
            const LinkHello hello = conn.handshake->peer();
            // Another one may have come up while this one waited for the dialler's word.
            if (auto refusal = admit(hello)) {
                log_refusal(conn, *refusal, false);
                std::string frame;
                append_frame(frame, FrameKind::refusal, encode_refusal(*refusal));
                write(conn, FrameKind::refusal, std::move(frame));
                end(conn.id);
                return false;
            }
            adopt(conn, hello);
            return true;
        }
        case Handshake::Outcome::refused:
            log_refusal(conn, step.refusal, false);
            write(conn, FrameKind::refusal, std::move(step.send));
            break;
        case Handshake::Outcome::refused_by_peer: log_refusal(conn, step.refusal, true); break;
        case Handshake::Outcome::broken: return end_garbled(conn, step.refusal.sentence);
    }
    end(conn.id);
    return false;
}

bool ClusterLinks::end_garbled(const Connection& conn, std::string_view why) {
    stats_.garbled.add();
    if (conn.up || may_log_stranger(garbled_logged_)) {
        env_.log.warning(
            "link.garbled",
            {{"peer", env::to_string(conn.remote)},
             {"node", conn.up ? conn.node->raw() : std::string("?")},
             {"why", fmt::format("{}: {}", why,
                                 conn.up ? "the connection is ended and made anew; look for what "
                                           "changes bytes on the way"
                                         : "no Muster node speaks from there, the connection is "
                                           "ended; stop what does, or keep it from this port")}});
    }
    end(conn.id);
    return false;
}

// Who proved nothing may come as often as it likes; it is logged now and then.
bool ClusterLinks::may_log_stranger(std::optional<MonoTime>& logged) const {
    const MonoTime now = env_.clock.mono();
    if (logged && now - *logged < kStrangerLogPause) {
        return false;
    }
    logged = now;
    return true;
}

void ClusterLinks::log_refusal(const Connection& conn, const LinkRefusal& refusal, bool by_peer) {
    auto& counters = by_peer ? stats_.refused_by_peer : stats_.refused;
    counters[static_cast<std::size_t>(refusal.reason)].add();
    bool is_news = false;
    if (Peer* peer = conn.node ? find_peer(*conn.node) : nullptr) {
        // It will be dialled again and refused again.
        peer->backoff = options_.backoff_max;
        is_news = std::exchange(peer->last_refusal, refusal.reason) != refusal.reason;
    } else {
        is_news = may_log_stranger(refusal_logged_);
    }
    if (is_news) {
        env_.log.warning(by_peer ? "link.refused_by_peer" : "link.refused",
                         {{"peer", env::to_string(conn.remote)},
                          {"reason", to_string(refusal.reason)},
                          {"why", refusal.sentence}});
    }
}

// ---- up

void ClusterLinks::adopt(Connection& conn, const LinkHello& hello) {
    if (find_peer(hello.node) == nullptr && peers_.size() >= options_.peers_max) {
        erase_peer(*unneeded_peer());  // admitted, so there is one
    }
    Peer& peer = peer_of(hello.node);
    if (conn.side == LinkSide::accepter) {
        --pending_;
    }
    conn.up = true;
    conn.node = hello.node;
    conn.handshake.reset();
    conn.reader.set_frame_max(options_.frame_max);
    conn.since = env_.clock.mono();
    stats_.links_made.add();

    const bool is_new_life = peer.incarnation != Incarnation() &&
                             (peer.incarnation != hello.incarnation || peer.folder != hello.folder);
    const bool was_silent = peer.state == LinkEvent::silent;
    auto& slot = conn.side == LinkSide::dialler ? peer.dialled : peer.accepted;
    auto& other = conn.side == LinkSide::dialler ? peer.accepted : peer.dialled;
    const auto before = std::exchange(slot, conn.id);
    const auto stale =
        is_new_life || was_silent ? std::exchange(other, std::nullopt) : std::nullopt;
    if (peer.attempt == conn.id) {
        peer.attempt.reset();
    }
    stop_dialling(peer);
    for (const auto& old : {before, stale}) {
        if (old) {
            end(*old);
        }
    }
    peer.folder = hello.folder;
    peer.incarnation = hello.incarnation;
    peer.told = told_address(hello, conn.remote);
    peer.backoff = Duration::zero();
    peer.last_refusal.reset();
    peer.probing = false;
    peer.last_heard = env_.clock.mono();
    if (is_new_life) {
        tell(peer, LinkEvent::closed);
    }
    tell(peer, LinkEvent::up);
}

// ---- end

void ClusterLinks::on_bye(const Connection& conn) {
    const env::ConnId id = conn.id;
    Peer& peer = *find_peer(*conn.node);
    auto& slot = conn.side == LinkSide::dialler ? peer.dialled : peer.accepted;
    slot.reset();  // so that nobody asks whether it ended
    end(id);
    if (peer.learnt && needs_dial(peer)) {
        dial_after(peer, Duration::zero());
    }
}

void ClusterLinks::on_closed(env::ConnId id, const Error& why) {
    const auto at = connections_.find(id);
    if (at == connections_.end()) {
        return;
    }
    env_.log.debug("link.connection_closed",
                   {{"peer", env::to_string(at->second.remote)}, {"why", to_string(why)}});
    forget_connection(id, !at->second.connected && why.code == Errc::closed);
}

void ClusterLinks::end(env::ConnId id) {
    env_.net.close(id);
    forget_connection(id, false);
}

void ClusterLinks::forget_connection(env::ConnId id, bool by_its_machine) {
    const auto taken = connections_.extract(id);
    if (taken.empty()) {
        return;
    }
    const Connection& conn = taken.mapped();
    if (!conn.up && conn.side == LinkSide::accepter) {
        --pending_;
    }
    Peer* peer = conn.node ? find_peer(*conn.node) : nullptr;
    if (peer == nullptr) {
        return;
    }
    if (conn.up) {
        auto& slot = conn.side == LinkSide::dialler ? peer->dialled : peer->accepted;
        if (slot == id) {
            slot.reset();
            if (!peer->linked()) {
                on_link_lost(*peer);
            }
        }
    } else if (peer->attempt == id) {
        peer->attempt.reset();
        on_dial_failed(*peer, by_its_machine);
    }
}

}  // namespace muster::runtime
