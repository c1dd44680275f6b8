#include "sim/deltas/byte_net.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace muster::sim {
namespace {

using std::chrono::microseconds;

// Of a connection, drawn once; each message takes up to a quarter more.
constexpr Duration kDelayMin = microseconds(50);
constexpr Duration kDelayMax = microseconds(1000);
constexpr std::uint64_t kCutOneIn = 8;

}  // namespace

Result<env::ListenerId> ByteNet::listen(const env::SocketAddress& at,
                                        env::ConnectionHandler& handler) {
    const env::ListenerId id(static_cast<std::uint32_t>(listeners_.size()) + 1);
    listeners_[id] = {.at = at, .handler = &handler};
    return id;
}

env::SocketAddress ByteNet::local_address(env::ListenerId listener) const {
    return listeners_.at(listener).at;
}

void ByteNet::stop_listening(env::ListenerId listener) {
    listeners_.erase(listener);
}

env::ConnId ByteNet::dial(const env::SocketAddress& to, env::ConnectionHandler& handler) {
    const env::ConnId here(++last_id_);
    const auto listener =
        std::ranges::find_if(listeners_, [&](const auto& known) { return known.second.at == to; });
    const auto draw = [&] { return Duration(prng_.between(kDelayMin.count(), kDelayMax.count())); };
    End& end = ends_[here] = {.handler = &handler, .peer = {}, .delay = draw()};
    if (listener == listeners_.end()) {
        tell_closed(here, scheduler_.now() + end.delay);
        return here;
    }
    const env::ConnId there(++last_id_);
    end.peer = there;
    ends_[there] = {.handler = listener->second.handler, .peer = here, .delay = draw()};
    const env::SocketAddress from{.ip = "10.0.9.1",
                                  .port = static_cast<std::uint16_t>(++last_port_ % 60'000 + 1)};
    scheduler_.at(arrival(ends_[there]), [this, there, from] {
        if (const auto known = ends_.find(there); known != ends_.end() && !known->second.broken) {
            known->second.handler->on_accepted(there, from);
        }
    });
    ends_[here].reads_from = ends_[there].last;
    scheduler_.at(arrival(ends_[here]), [this, here] {
        if (const auto known = ends_.find(here); known != ends_.end() && !known->second.broken) {
            known->second.handler->on_connected(here);
        }
    });
    return here;
}

MonoTime ByteNet::arrival(End& reader) {
    const Duration jitter(prng_.between(0, reader.delay.count() / 4));
    reader.last =
        std::max({reader.last, reader.reads_from, scheduler_.now() + reader.delay + jitter});
    return reader.last;
}

void ByteNet::send(env::ConnId conn, std::string bytes) {
    const auto writer = ends_.find(conn);
    if (writer == ends_.end()) {
        return;
    }
    const auto reader = ends_.find(writer->second.peer);
    if (reader == ends_.end() || writer->second.broken || reader->second.broken) {
        lost_ += bytes.size();
        return;
    }
    End& end = reader->second;
    end.coming += bytes.size();
    writer->second.congested = writer->second.congested || end.coming > kCongestedAbove;
    scheduler_.at(arrival(end),
                  [this, to = reader->first, bytes = std::move(bytes)] { arrive(to, bytes); });
}

void ByteNet::send(env::ConnId conn, std::string head, SharedBytes body, std::string tail) {
    head += *body;
    head += tail;
    send(conn, std::move(head));
}

void ByteNet::arrive(env::ConnId conn, const std::string& bytes) {
    const auto reader = ends_.find(conn);
    if (reader == ends_.end() || reader->second.broken) {
        lost_ += bytes.size();
        return;
    }
    End& end = reader->second;
    end.coming -= bytes.size();
    const auto writer = ends_.find(end.peer);
    const bool drained =
        writer != ends_.end() && writer->second.congested && end.coming <= kCongestedAbove / 2;
    if (drained) {
        writer->second.congested = false;
        scheduler_.after({}, [this, from = writer->first] {
            const auto known = ends_.find(from);
            if (known != ends_.end() && !known->second.broken) {
                known->second.handler->on_drained(from);
            }
        });
    }
    env::ConnectionHandler& handler = *end.handler;
    if (bytes.size() < 2 || !prng_.chance(1, kCutOneIn)) {
        handler.on_bytes(conn, bytes);
        return;
    }
    const std::size_t cut = 1 + prng_.below(bytes.size() - 1);
    handler.on_bytes(conn, std::string_view(bytes).substr(0, cut));
    if (ends_.contains(conn)) {
        handler.on_bytes(conn, std::string_view(bytes).substr(cut));
    }
}

bool ByteNet::congested(env::ConnId conn) const {
    const auto known = ends_.find(conn);
    return known != ends_.end() && known->second.congested;
}

std::size_t ByteNet::queued_bytes(env::ConnId conn) const {
    const auto reader = ends_.find(peer_of(conn));
    return reader == ends_.end() ? 0 : reader->second.coming;
}

void ByteNet::close(env::ConnId conn) {
    const auto known = ends_.find(conn);
    if (known == ends_.end()) {
        return;
    }
    const env::ConnId peer = known->second.peer;
    const bool broken = known->second.broken;
    ends_.erase(known);
    if (const auto other = ends_.find(peer); other != ends_.end() && !broken) {
        tell_closed(peer, arrival(other->second));
    }
}

void ByteNet::tell_closed(env::ConnId conn, MonoTime when) {
    scheduler_.at(when, [this, conn] {
        const auto known = ends_.find(conn);
        if (known == ends_.end()) {
            return;
        }
        env::ConnectionHandler& handler = *known->second.handler;
        ends_.erase(known);
        handler.on_closed(conn, {Errc::closed, "the connection is gone"});
    });
}

void ByteNet::reset(env::ConnId conn, const BrokenAfter& after) {
    const auto known = ends_.find(conn);
    if (known == ends_.end() || known->second.broken) {
        return;
    }
    known->second.broken = true;
    tell_closed(conn, scheduler_.now() + after.here);
    if (const auto peer = ends_.find(known->second.peer); peer != ends_.end()) {
        peer->second.broken = true;
        tell_closed(peer->first, scheduler_.now() + after.peer);
    }
}

void ByteNet::stall(env::ConnId conn, Duration how_long) {
    if (const auto known = ends_.find(conn); known != ends_.end()) {
        known->second.reads_from = scheduler_.now() + how_long;
    }
}

env::ConnId ByteNet::peer_of(env::ConnId conn) const {
    const auto known = ends_.find(conn);
    return known == ends_.end() ? env::ConnId{} : known->second.peer;
}

}  // namespace muster::sim
