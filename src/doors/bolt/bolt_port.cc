#include "doors/bolt/bolt_port.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "wire/bolt/frame_encoder.h"

namespace muster::doors {
namespace {

constexpr env::TimerKey kIdleTimer{1};
constexpr int kIdleChecksPerInterval = 8;

BoltRefusal refusal_of(bolt::Decode outcome) {
    switch (outcome) {
        case bolt::Decode::not_mine: return BoltRefusal::not_bolt;
        case bolt::Decode::too_big: return BoltRefusal::too_big_frame;
        default: return BoltRefusal::broken_frame;
    }
}

}  // namespace

std::string_view to_string(BoltRefusal refusal) {
    switch (refusal) {
        case BoltRefusal::not_bolt: return "not_bolt";
        case BoltRefusal::broken_frame: return "broken_frame";
        case BoltRefusal::too_big_frame: return "too_big_frame";
        case BoltRefusal::idle: return "idle";
        case BoltRefusal::too_many: return "too_many";
        case BoltRefusal::too_many_per_ip: return "too_many_per_ip";
        case BoltRefusal::out_of_buffer: return "out_of_buffer";
        case BoltRefusal::unknown_codec: return "unknown_codec";
        case BoltRefusal::cut_frame: return "cut_frame";
    }
    return "unknown";
}

BoltPort::BoltPort(BoltPortOptions options, env::Net& net, env::Clock& clock, env::Timers& timers,
                   Log log)
    : options_(options), net_(net), clock_(clock), timers_(timers), log_(log) {}

BoltPort::~BoltPort() {
    stop();
}

void BoltPort::serve(std::uint8_t codec, bolt::FrameConversation& conversation) {
    CHECK_BECAUSE(listeners_.empty(), "codecs are served before connections come");
    conversations_[codec] = &conversation;
}

Result<env::SocketAddress> BoltPort::listen(const env::SocketAddress& at) {
    auto listener = net_.listen(at, *this);
    if (!listener) {
        return wrap("listen at " + env::to_string(at), std::move(listener).error());
    }
    listeners_.push_back(*listener);
    arm_idle_timer();
    return net_.local_address(*listener);
}

void BoltPort::stop() {
    for (const env::ListenerId listener : std::exchange(listeners_, {})) {
        net_.stop_listening(listener);
    }
    timers_.cancel(kIdleTimer);
    std::vector<env::ConnId> open;
    for (const auto& [conn, connection] : connections_) {
        open.push_back(conn);
    }
    std::ranges::sort(open);  // one order on all machines
    for (const env::ConnId conn : open) {
        const ConnectionPtr connection = forget(conn);
        if (connection == nullptr) {
            continue;
        }
        net_.close(conn);
        if (connection->conversation != nullptr) {
            connection->conversation->on_closed(conn);
        }
    }
}

void BoltPort::on_accepted(env::ConnId conn, const env::SocketAddress& peer) {
    accepted_.add();
    const auto known = per_ip_.find(peer.ip);
    const std::size_t of_this_ip = known == per_ip_.end() ? 0 : known->second;
    const bool too_many = connections_.size() >= options_.connections_max;
    if (too_many || of_this_ip >= options_.connections_per_ip_max) {
        count(too_many ? BoltRefusal::too_many : BoltRefusal::too_many_per_ip);
        net_.close(conn);
        return;
    }
    ++per_ip_[peer.ip];
    connections_.emplace(conn, std::make_shared<Connection>(
                                   Connection{.peer = peer,
                                              .reader = bolt::FrameReader(options_.frame_limits),
                                              .last_frame = clock_.mono()}));
}

void BoltPort::on_connected(env::ConnId /*conn*/) {
    CHECK_BECAUSE(false, "the port dials nobody");
}

void BoltPort::on_bytes(env::ConnId conn, std::string_view bytes) {
    const auto found = connections_.find(conn);
    if (found == connections_.end()) {
        return;
    }
    const ConnectionPtr connection = found->second;
    bytes_.add(bytes.size());
    connection->reader.feed(bytes);
    bolt::DecodedFrame decoded = connection->reader.next();
    for (; decoded.outcome == bolt::Decode::message; decoded = connection->reader.next()) {
        connection->last_frame = clock_.mono();
        frames_.add();
        on_frame(conn, *connection, decoded.frame);
        if (!connection->open) {
            return;
        }
    }
    if (decoded.outcome != bolt::Decode::need_more) {
        drop(conn, refusal_of(decoded.outcome), decoded.why);
    } else if (!account(*connection)) {
        drop(conn, BoltRefusal::out_of_buffer, "too many bytes of incomplete frames");
    }
}

void BoltPort::on_frame(env::ConnId conn, Connection& connection, const bolt::Frame& frame) {
    if (frame.head.is_heartbeat()) {
        heartbeats_.add();
        if (frame.head.type == bolt::FrameType::request) {
            std::string ack;
            bolt::append_heartbeat_ack(ack, frame.head);
            net_.send(conn, std::move(ack));
        }
        return;
    }
    if (connection.conversation == nullptr && !frame.head.is_response()) {
        const auto served = conversations_.find(frame.head.codec);
        if (served != conversations_.end()) {
            connection.codec = frame.head.codec;
            connection.conversation = served->second;
            connection.conversation->on_open(conn, connection.peer, *this);
            if (!connection.open) {
                return;
            }
        }
    }
    if (connection.conversation == nullptr || connection.codec != frame.head.codec) {
        refuse_codec(conn, frame.head);
        return;
    }
    connection.conversation->on_frame(conn, frame);
}

void BoltPort::refuse_codec(env::ConnId conn, const bolt::FrameHead& head) {
    count(BoltRefusal::unknown_codec);
    if (head.type == bolt::FrameType::request) {
        std::string answer;
        bolt::append_bare_response(answer, head, bolt::Status::codec_exception);
        net_.send(conn, std::move(answer));
    }
}

bool BoltPort::account(Connection& connection) {
    buffered_bytes_ -= connection.buffered;
    connection.buffered = connection.reader.buffered();
    buffered_bytes_ += connection.buffered;
    return buffered_bytes_ <= options_.buffered_bytes_max;
}

BoltPort::ConnectionPtr BoltPort::forget(env::ConnId conn) {
    const auto found = connections_.find(conn);
    if (found == connections_.end()) {
        return nullptr;
    }
    ConnectionPtr connection = std::move(found->second);
    connections_.erase(found);
    connection->open = false;
    buffered_bytes_ -= connection->buffered;
    const auto of_ip = per_ip_.find(connection->peer.ip);
    if (--of_ip->second == 0) {
        per_ip_.erase(of_ip);
    }
    return connection;
}

void BoltPort::drop(env::ConnId conn, BoltRefusal refusal, std::string_view why) {
    const ConnectionPtr connection = forget(conn);
    count(refusal);
    log_.info("bolt.connection.dropped", {{"peer", env::to_string(connection->peer)},
                                          {"reason", to_string(refusal)},
                                          {"detail", why}});
    net_.close(conn);
    if (connection->conversation != nullptr) {
        connection->conversation->on_closed(conn);
    }
}

void BoltPort::on_drained(env::ConnId conn) {
    const auto found = connections_.find(conn);
    if (found != connections_.end() && found->second->conversation != nullptr) {
        found->second->conversation->on_drained(conn);
    }
}

void BoltPort::on_closed(env::ConnId conn, const Error& why) {
    const ConnectionPtr connection = forget(conn);
    if (connection == nullptr) {
        return;
    }
    if (connection->reader.buffered() > 0) {
        count(BoltRefusal::cut_frame);
    }
    log_.debug("bolt.connection.closed",
               {{"peer", env::to_string(connection->peer)}, {"why", to_string(why)}});
    if (connection->conversation != nullptr) {
        connection->conversation->on_closed(conn);
    }
}

Duration BoltPort::idle_max_of(const bolt::FrameConversation* conversation) const {
    const Duration own = conversation != nullptr ? conversation->idle_max() : Duration{};
    return own > Duration{} ? own : options_.idle_max;
}

void BoltPort::arm_idle_timer() {
    Duration shortest = options_.idle_max;
    for (const auto& [codec, conversation] : conversations_) {
        shortest = std::min(shortest, idle_max_of(conversation));
    }
    timers_.arm(kIdleTimer, shortest / kIdleChecksPerInterval);
}

void BoltPort::on_timer(env::TimerKey /*key*/) {
    const MonoTime now = clock_.mono();
    std::vector<env::ConnId> idle;
    for (const auto& [conn, connection] : connections_) {
        if (now - connection->last_frame >= idle_max_of(connection->conversation)) {
            idle.push_back(conn);
        }
    }
    std::ranges::sort(idle);  // one order on all machines
    for (const env::ConnId conn : idle) {
        if (is_open(conn)) {
            drop(conn, BoltRefusal::idle, "no frame came");
        }
    }
    arm_idle_timer();
}

// A connection that the port has ended is stale to the net.
void BoltPort::send(env::ConnId conn, std::string frames) {
    net_.send(conn, std::move(frames));
}

void BoltPort::send(env::ConnId conn, std::string head, SharedBytes body, std::string tail) {
    net_.send(conn, std::move(head), std::move(body), std::move(tail));
}

bool BoltPort::congested(env::ConnId conn) const {
    return net_.congested(conn);
}

void BoltPort::stop_reading(env::ConnId conn) {
    net_.stop_reading(conn);
}

void BoltPort::go_on_reading(env::ConnId conn) {
    net_.go_on_reading(conn);
}

void BoltPort::close(env::ConnId conn, const Error& why) {
    const ConnectionPtr connection = forget(conn);
    if (connection == nullptr) {
        return;
    }
    log_.info("bolt.connection.ended",
              {{"peer", env::to_string(connection->peer)}, {"why", to_string(why)}});
    net_.close(conn);
}

void BoltPort::write_metrics(MetricsWriter& writer) const {
    writer.gauge("muster_bolt_connections", "Open connections of the bolt port.",
                 static_cast<std::int64_t>(connections_.size()));
    writer.gauge("muster_bolt_incomplete_frame_bytes", "Bytes kept of incomplete frames.",
                 static_cast<std::int64_t>(buffered_bytes_));
    writer.counter("muster_bolt_connections_accepted_total", "Connections accepted.",
                   accepted_.value());
    writer.counter("muster_bolt_frames_received_total", "Whole frames received.", frames_.value());
    writer.counter("muster_bolt_heartbeats_received_total", "Heartbeats and their answers.",
                   heartbeats_.value());
    writer.counter("muster_bolt_bytes_received_total", "Bytes received.", bytes_.value());
    for (std::size_t i = 0; i < kBoltRefusals; ++i) {
        writer.counter("muster_bolt_refused_total",
                       "Connections dropped and frames refused, by reason.", refusals_[i].value(),
                       {{"reason", to_string(static_cast<BoltRefusal>(i))}});
    }
}

}  // namespace muster::doors
