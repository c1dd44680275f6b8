#include "runtime/net/tcp_net.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>

#include "base/check.h"

namespace muster::runtime {
namespace {

constexpr unsigned kAcceptsPerTurn = 64;
constexpr unsigned kReadsPerTurn = 4;
constexpr unsigned kReadsOfABrokenConnection = 64;
constexpr Duration kListenerPause = std::chrono::milliseconds(100);

// Cookies of watches and keys of timers: connections by index, listeners by id, and one timer that
// reports broken connections.
constexpr std::uint64_t kListenerBit = std::uint64_t{1} << 32U;
constexpr env::TimerKey kFaultsKey(std::uint64_t{1} << 33U);

env::TimerKey timer_of(std::uint32_t connection_index) {
    return env::TimerKey(connection_index);
}

Fd open_spare() {
    return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
}

}  // namespace

TcpNet::TcpNet(Loop& loop, TcpNetOptions options)
    : loop_(loop),
      options_(options),
      timers_(loop),
      spare_(open_spare()),
      read_buffer_(std::make_unique<std::array<char, 64 * 1024>>()) {
    timers_.bind(*this);
}

TcpNet::~TcpNet() {
    for (Connection& conn : connections_) {
        if (conn.fd.valid()) {
            loop_.unwatch(conn.watch);
        }
    }
    for (const auto& [id, listener] : listeners_) {
        loop_.unwatch(listener.watch);
    }
}

// ---- listeners

Result<env::ListenerId> TcpNet::listen(const env::SocketAddress& at,
                                       env::ConnectionHandler& handler) {
    auto fd = open_listener(at, options_.backlog, options_.keep_alive);
    if (!fd) {
        return std::unexpected(std::move(fd).error());
    }
    const std::uint32_t id = ++last_listener_;
    auto watch = loop_.watch(fd->raw(), Interest::read, *this, kListenerBit | id);
    if (!watch) {
        return std::unexpected(std::move(watch).error());
    }
    const env::SocketAddress bound = local_address_of(fd->raw());
    listeners_.emplace(
        id, Listener{.fd = std::move(*fd), .watch = *watch, .handler = &handler, .address = bound});
    return env::ListenerId(id);
}

env::SocketAddress TcpNet::local_address(env::ListenerId listener) const {
    const auto at = listeners_.find(listener.raw());
    return at == listeners_.end() ? env::SocketAddress{} : at->second.address;
}

void TcpNet::stop_listening(env::ListenerId listener) {
    const auto at = listeners_.find(listener.raw());
    if (at == listeners_.end()) {
        return;
    }
    timers_.cancel(env::TimerKey(kListenerBit | listener.raw()));
    loop_.unwatch(at->second.watch);
    listeners_.erase(at);
}

void TcpNet::accept_ready(std::uint32_t id) {
    for (unsigned i = 0; i < kAcceptsPerTurn; ++i) {
        const auto at = listeners_.find(id);  // a handler may have stopped it
        if (at == listeners_.end()) {
            return;
        }
        auto accepted = accept_one(at->second.fd.raw());
        if (accepted) {
            adopt(std::move(*accepted), *at->second.handler);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            refuse_for_lack_of_descriptors(id, at->second);
            return;
        } else if (errno == EAGAIN || errno == EINVAL || errno == EBADF) {
            return;
        }
        // Else the peer had gone again (accept(2): treat network errors like EAGAIN).
    }
}

void TcpNet::adopt(Accepted accepted, env::ConnectionHandler& handler) {
    if (connection_count() >= options_.connections_max) {
        stats_.refused_over_cap.add();
        return;
    }
    Connection& conn = acquire(State::open, handler);
    auto watch = loop_.watch(accepted.fd.raw(), Interest::read, *this, conn.index);
    if (!watch) {
        stats_.refused_no_descriptor.add();
        release(conn);
        return;
    }
    conn.fd = std::move(accepted.fd);
    conn.watch = *watch;
    stats_.accepted.add();
    handler.on_accepted(id_of(conn), accepted.peer);
}

// Without a free descriptor a waiting peer can neither be served nor turned away, and the listener
// stays readable: the spare one is given up for a moment to accept and close it.
void TcpNet::refuse_for_lack_of_descriptors(std::uint32_t id, Listener& listener) {
    stats_.refused_no_descriptor.add();
    spare_.reset();
    const bool turned_away = accept_one(listener.fd.raw()).has_value();
    spare_ = open_spare();
    if (!turned_away) {
        loop_.set_interest(listener.watch, Interest::none);
        timers_.arm(env::TimerKey(kListenerBit | id), kListenerPause);
    }
}

// ---- connections

env::ConnId TcpNet::id_of(const Connection& conn) {
    return env::ConnId((std::uint64_t{conn.generation} << 32U) | conn.index);
}

TcpNet::Connection* TcpNet::find(env::ConnId id) {
    return const_cast<Connection*>(std::as_const(*this).find(id));
}

const TcpNet::Connection* TcpNet::find(env::ConnId id) const {
    const auto index = static_cast<std::uint32_t>(id.raw());
    if (index >= connections_.size()) {
        return nullptr;
    }
    const Connection& conn = connections_[index];
    const bool current = conn.generation == id.raw() >> 32U && conn.state != State::free;
    return current ? &conn : nullptr;
}

TcpNet::Connection& TcpNet::acquire(State state, env::ConnectionHandler& handler) {
    if (free_.empty()) {
        free_.push_back(static_cast<std::uint32_t>(connections_.size()));
        connections_.emplace_back().index = free_.back();
    }
    Connection& conn = connections_[free_.back()];
    free_.pop_back();
    conn.state = state;
    conn.handler = &handler;
    conn.input_ended = false;
    return conn;
}

// Closes the socket and makes the id stale.
void TcpNet::release(Connection& conn) {
    CHECK(conn.state != State::free);
    if (conn.fd.valid()) {
        loop_.unwatch(conn.watch);
        conn.fd.reset();
        stats_.closed.add();
    }
    if (conn.state != State::open) {
        timers_.cancel(timer_of(conn.index));
    }
    conn.queue.clear();
    conn.fault.reset();
    conn.wants_write = false;
    conn.congested = false;
    conn.stopped = false;
    conn.gathering = false;
    conn.handler = nullptr;
    conn.state = State::free;
    if (++conn.generation == 0) {
        conn.generation = 1;
    }
    free_.push_back(conn.index);
}

void TcpNet::report_closed(Connection& conn, const Error& why) {
    env::ConnectionHandler& handler = *conn.handler;
    const env::ConnId id = id_of(conn);
    const Error copy = why;  // it may be the fault that release() forgets
    release(conn);
    handler.on_closed(id, copy);
}

// For what is found out within a call of the owner, who must not be called back from there.
void TcpNet::break_later(Connection& conn, Error why) {
    if (conn.fault) {
        return;
    }
    conn.fault = std::move(why);
    conn.queue.clear();
    faults_.push_back(id_of(conn));
    timers_.arm(kFaultsKey, Duration::zero());
}

void TcpNet::report_faults() {
    std::vector<env::ConnId> faults;
    faults.swap(faults_);
    for (const env::ConnId id : faults) {
        Connection* conn = find(id);
        if (conn == nullptr) {
            continue;  // its owner has closed it meanwhile
        }
        if (conn->state == State::dialling) {
            stats_.dial_failures.add();
        } else if (conn->fault->code != Errc::over_limit) {
            // What the peer sent before it broke still counts: it may be its goodbye.
            read_ready(*conn, kReadsOfABrokenConnection);
            if (find(id) == nullptr) {
                continue;
            }
        }
        report_closed(*conn, *conn->fault);
    }
}

env::ConnId TcpNet::dial(const env::SocketAddress& to, env::ConnectionHandler& handler) {
    const bool over_cap = connection_count() >= options_.connections_max;
    Connection& conn = acquire(State::dialling, handler);
    stats_.dialled.add();
    if (over_cap) {
        stats_.refused_over_cap.add();
        break_later(conn, Error{Errc::over_limit,
                                "connect to " + env::to_string(to) + ": too many connections"});
        return id_of(conn);
    }
    auto fd = open_dialling(to, options_.dial_from, options_.keep_alive);
    if (!fd) {
        break_later(conn, std::move(fd).error());
        return id_of(conn);
    }
    auto watch = loop_.watch(fd->raw(), Interest::write, *this, conn.index);
    if (!watch) {
        break_later(conn, std::move(watch).error());
        return id_of(conn);
    }
    conn.fd = std::move(*fd);
    conn.watch = *watch;
    timers_.arm(timer_of(conn.index), options_.dial_timeout);
    return id_of(conn);
}

void TcpNet::on_dialled(Connection& conn) {
    if (const auto outcome = dialling_outcome(conn.fd.raw()); !outcome) {
        stats_.dial_failures.add();
        report_closed(conn, outcome.error());
        return;
    }
    timers_.cancel(timer_of(conn.index));
    conn.state = State::open;
    conn.wants_write = true;  // what was sent while dialling waits; write_ready() finds out
    loop_.set_interest(conn.watch, Interest::read_write);
    const env::ConnId id = id_of(conn);
    conn.handler->on_connected(id);
    if (find(id) != nullptr && !conn.fault) {
        write_ready(conn);
    }
}

void TcpNet::close(env::ConnId id) {
    Connection* conn = find(id);
    if (conn == nullptr) {
        return;
    }
    if (conn->state == State::dialling || conn->fault) {
        release(*conn);
        return;
    }
    if (!conn->queue.empty() && !conn->wants_write) {
        flush(*conn);
        if (conn->fault) {
            release(*conn);
            return;
        }
    }
    if (++conn->generation == 0) {
        conn->generation = 1;
    }
    conn->handler = nullptr;
    conn->state = State::closing;
    if (std::exchange(conn->stopped, false)) {
        update_interest(*conn);  // the peer's end is waited for
    }
    timers_.arm(timer_of(conn->index), options_.close_timeout);
    if (conn->queue.empty()) {
        finish_closing(*conn);
    }
}

// ---- events

void TcpNet::on_fd(std::uint64_t cookie, Readiness ready) {
    if ((cookie & kListenerBit) != 0) {
        accept_ready(static_cast<std::uint32_t>(cookie));
        return;
    }
    Connection& conn = connections_[cookie];
    if (conn.fault) {
        return;  // reported in this turn or the next
    }
    const std::uint32_t generation = conn.generation;
    switch (conn.state) {
        case State::free: return;
        case State::dialling: on_dialled(conn); return;
        case State::open:
            if (ready.writable && conn.wants_write) {
                write_ready(conn);
            }
            if ((ready.readable || ready.broken) && conn.generation == generation && !conn.fault) {
                read_ready(conn, kReadsPerTurn);
            }
            return;
        case State::closing:
            if (ready.writable && !conn.queue.empty()) {
                write_ready(conn);
            }
            if ((ready.readable || ready.broken) && conn.state == State::closing) {
                discard_ready(conn);
            }
            return;
    }
}

void TcpNet::on_timer(env::TimerKey key) {
    if (key == kFaultsKey) {
        report_faults();
        return;
    }
    if ((key.raw() & kListenerBit) != 0) {
        const auto at = listeners_.find(static_cast<std::uint32_t>(key.raw()));
        CHECK(at != listeners_.end());
        loop_.set_interest(at->second.watch, Interest::read);
        return;
    }
    Connection& conn = connections_[key.raw()];
    if (conn.state == State::closing) {
        release(conn);
    } else if (conn.state == State::dialling && !conn.fault) {
        stats_.dial_failures.add();
        report_closed(
            conn, Error{Errc::timeout, "connect: no answer within " +
                                           std::to_string(to_ms(options_.dial_timeout)) + " ms"});
    }
}

void TcpNet::write_metrics(MetricsWriter& writer) const {
    std::size_t queued = 0;
    for (const Connection& conn : connections_) {
        queued += conn.queue.bytes();
    }
    writer.gauge("muster_net_connections", "Open TCP connections.",
                 static_cast<std::int64_t>(connection_count()));
    writer.gauge("muster_net_queued_bytes", "Bytes waiting for peers to take them.",
                 static_cast<std::int64_t>(queued));
    writer.counter("muster_net_accepted_total", "Connections accepted.", stats_.accepted.value());
    writer.counter("muster_net_dialled_total", "Connections dialled.", stats_.dialled.value());
    writer.counter("muster_net_dial_failures_total", "Dialled connections that did not come up.",
                   stats_.dial_failures.value());
    writer.counter("muster_net_closed_total", "Connections closed.", stats_.closed.value());
    constexpr std::string_view kRefused = "muster_net_refused_total";
    constexpr std::string_view kRefusedHelp = "Connections turned away.";
    writer.counter(kRefused, kRefusedHelp, stats_.refused_over_cap.value(),
                   {{"reason", "connection_limit"}});
    writer.counter(kRefused, kRefusedHelp, stats_.refused_no_descriptor.value(),
                   {{"reason", "no_file_descriptor"}});
    writer.counter("muster_net_over_queue_limit_total",
                   "Connections closed because their peer took too little.",
                   stats_.over_queue_limit.value());
    writer.counter("muster_net_readings_stopped_total",
                   "Times a connection was not read for a while, so that its peer waits.",
                   stats_.stopped.value());
    writer.counter("muster_net_writes_total", "Writes to sockets.", stats_.writes.value());
    writer.counter("muster_net_blocked_writes_total", "Writes the kernel did not take at once.",
                   stats_.blocked_writes.value());
    writer.counter("muster_net_received_bytes_total", "Bytes received.", stats_.bytes_in.value());
    writer.counter("muster_net_sent_bytes_total", "Bytes sent.", stats_.bytes_out.value());
}

}  // namespace muster::runtime
