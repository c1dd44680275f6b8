// The bytes of TcpNet: reading, direct and queued writing, congestion.
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include <sys/socket.h>
#include <sys/uio.h>

#include "runtime/net/tcp_net.h"

namespace muster::runtime {
namespace {

constexpr std::size_t kPiecesPerWrite = 64;
// A handler that answers many requests of one read at once: their answers are written together,
// but not later than this many bytes.
constexpr std::size_t kCorkMaxBytes = 64 * 1024;

iovec piece_of(const std::string& bytes) {
    return {.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
}

}  // namespace

void TcpNet::send(env::ConnId id, std::string bytes) {
    send(id, std::move(bytes), nullptr, {});
}

void TcpNet::send(env::ConnId id, std::string head, SharedBytes body, std::string tail) {
    Connection* conn = find(id);
    const std::size_t body_size = body != nullptr ? body->size() : 0;
    const std::size_t total = head.size() + body_size + tail.size();
    if (conn == nullptr || conn->fault || total == 0) {
        return;
    }
    std::size_t written = 0;
    if (conn->queue.empty() && conn->state == State::open && conn != corked_) {
        std::array<iovec, 3> parts{};
        std::size_t count = 0;
        parts[count++] = piece_of(head);
        if (body_size > 0) {
            parts[count++] = piece_of(*body);
        }
        if (!tail.empty()) {
            parts[count++] = piece_of(tail);
        }
        written = write_parts(*conn, {parts.data(), count});
        if (written == total || conn->fault) {
            return;
        }
    }
    const auto skip_of = [&written](std::size_t size) {
        const std::size_t skip = written < size ? written : size;
        written -= skip;
        return skip;
    };
    const std::size_t skip_head = skip_of(head.size());
    conn->queue.push(std::move(head), skip_head);
    conn->queue.push(body, skip_of(body_size));
    const std::size_t skip_tail = skip_of(tail.size());
    conn->queue.push(std::move(tail), skip_tail);
    after_queueing(*conn);
}

void TcpNet::send_gathered(env::ConnId id, std::string bytes) {
    Connection* conn = find(id);
    if (conn == nullptr || conn->fault || conn->state != State::open || conn == corked_ ||
        conn->wants_write || bytes.empty()) {
        send(id, std::move(bytes));
        return;
    }
    conn->queue.push(std::move(bytes), 0);
    if (conn->queue.bytes() >= kCorkMaxBytes) {
        flush_unforced(*conn);
        return;
    }
    if (!std::exchange(conn->gathering, true)) {
        if (gathering_.empty()) {
            loop_.at_turn_end([this, alive = std::weak_ptr(alive_)] {
                if (!alive.expired()) {
                    flush_gathered();
                }
            });
        }
        gathering_.push_back(id);
    }
}

void TcpNet::flush_gathered() {
    for (const env::ConnId id : std::exchange(gathering_, {})) {
        Connection* conn = find(id);
        if (conn != nullptr && std::exchange(conn->gathering, false) && !conn->fault &&
            conn->state == State::open && !conn->queue.empty() && !conn->wants_write) {
            flush_unforced(*conn);
        }
    }
}

// Writes what handlers queued; how much is left tells whether the peer takes too little.
void TcpNet::flush_unforced(Connection& conn) {
    flush(conn);
    if (!conn.fault && !conn.queue.empty()) {
        after_queueing(conn);
    }
}

bool TcpNet::congested(env::ConnId id) const {
    const Connection* conn = find(id);
    return conn != nullptr && conn->congested;
}

std::size_t TcpNet::queued_bytes(env::ConnId id) const {
    const Connection* conn = find(id);
    return conn != nullptr ? conn->queue.bytes() : 0;
}

void TcpNet::after_queueing(Connection& conn) {
    if (&conn == corked_ && !conn.wants_write) {
        if (conn.queue.bytes() < kCorkMaxBytes) {
            return;  // written when its handler returns
        }
        flush(conn);
        if (conn.fault || conn.queue.empty()) {
            return;
        }
    } else if (conn.state == State::open) {
        want_write(conn, true);
    }
    if (conn.queue.bytes() > options_.queue_hard_max_bytes) {
        stats_.over_queue_limit.add();
        break_later(conn, Error{Errc::over_limit,
                                std::to_string(conn.queue.bytes()) +
                                    " bytes wait for the peer to take them, more than the limit"});
    } else if (conn.queue.bytes() > options_.queue_soft_max_bytes) {
        conn.congested = true;
    }
}

// Writes without waiting; gives how much the kernel took. A failure breaks the connection.
std::size_t TcpNet::write_parts(Connection& conn, std::span<iovec> parts) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    ssize_t size = 0;
    stats_.writes.add();
    do {
        size = ::sendmsg(conn.fd.raw(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (size < 0 && errno == EINTR);
    if (size >= 0) {
        stats_.bytes_out.add(static_cast<std::uint64_t>(size));
        return static_cast<std::size_t>(size);
    }
    if (errno != EAGAIN && errno != ENOBUFS) {
        break_later(conn, connection_error(errno));
    }
    return 0;
}

// Writes what is queued as far as the kernel takes it; waits for writability with the rest.
void TcpNet::flush(Connection& conn) {
    while (!conn.queue.empty()) {
        std::array<iovec, kPiecesPerWrite> parts{};
        const std::size_t count = conn.queue.gather(parts);
        std::size_t offered = 0;
        for (std::size_t i = 0; i < count; ++i) {
            offered += parts[i].iov_len;
        }
        const std::size_t written = write_parts(conn, {parts.data(), count});
        if (conn.fault) {
            return;
        }
        conn.queue.consume(written);
        if (written < offered) {
            want_write(conn, true);
            return;
        }
    }
    want_write(conn, false);
}

void TcpNet::want_write(Connection& conn, bool wanted) {
    if (conn.wants_write == wanted) {
        return;
    }
    conn.wants_write = wanted;
    if (wanted) {
        stats_.blocked_writes.add();
    }
    update_interest(conn);
}

void TcpNet::update_interest(const Connection& conn) {
    if (conn.input_ended || conn.stopped) {
        loop_.set_interest(conn.watch, conn.wants_write ? Interest::write : Interest::none);
    } else {
        loop_.set_interest(conn.watch, conn.wants_write ? Interest::read_write : Interest::read);
    }
}

void TcpNet::stop_reading(env::ConnId id) {
    Connection* conn = find(id);
    if (conn != nullptr && conn->state == State::open && !conn->stopped) {
        conn->stopped = true;
        stats_.stopped.add();
        update_interest(*conn);
    }
}

void TcpNet::go_on_reading(env::ConnId id) {
    Connection* conn = find(id);
    if (conn != nullptr && conn->state == State::open && conn->stopped) {
        conn->stopped = false;
        update_interest(*conn);
    }
}

void TcpNet::write_ready(Connection& conn) {
    flush(conn);
    if (conn.state == State::closing) {
        if (conn.fault) {
            release(conn);
        } else if (conn.queue.empty()) {
            finish_closing(conn);
        }
        return;
    }
    if (conn.queue.empty() && conn.congested && !conn.fault) {
        conn.congested = false;
        conn.handler->on_drained(id_of(conn));
    }
}

void TcpNet::read_ready(Connection& conn, unsigned reads_max) {
    const env::ConnId id = id_of(conn);
    const bool was_broken = conn.fault.has_value();
    std::optional<Error> end;
    corked_ = &conn;
    for (unsigned i = 0; i < reads_max && !end; ++i) {
        const ssize_t size = ::recv(conn.fd.raw(), read_buffer_->data(), read_buffer_->size(), 0);
        if (size > 0) {
            const auto count = static_cast<std::size_t>(size);
            stats_.bytes_in.add(count);
            conn.handler->on_bytes(id, {read_buffer_->data(), count});
            if (find(id) == nullptr) {
                corked_ = nullptr;
                return;
            }
            if (count < read_buffer_->size() || conn.stopped ||
                conn.fault.has_value() != was_broken) {
                break;
            }
        } else if (size == 0) {
            end = Error{Errc::closed, "the peer closed the connection"};
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            end = connection_error(errno);
        }
    }
    corked_ = nullptr;
    if (was_broken || conn.fault) {
        return;
    }
    if (!conn.queue.empty() && !conn.wants_write) {
        flush(conn);
        if (conn.queue.bytes() > options_.queue_soft_max_bytes) {
            conn.congested = true;
        }
    }
    if (end) {
        report_closed(conn, *end);
    }
}

void TcpNet::finish_closing(Connection& conn) {
    ::shutdown(conn.fd.raw(), SHUT_WR);
    if (conn.input_ended) {
        release(conn);
    }
}

// Until the peer closes too: a socket closed with unread bytes is reset, which would take our last
// words from the peer (RFC 1122 4.2.2.13).
void TcpNet::discard_ready(Connection& conn) {
    const ssize_t size = ::recv(conn.fd.raw(), read_buffer_->data(), read_buffer_->size(), 0);
    if (size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR))) {
        return;
    }
    if (size < 0 || conn.queue.empty()) {
        release(conn);
        return;
    }
    conn.input_ended = true;
    update_interest(conn);
}

}  // namespace muster::runtime
