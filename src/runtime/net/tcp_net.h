#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/metrics.h"
#include "env/gathered_sends.h"
#include "env/net.h"
#include "env/timers.h"
#include "runtime/loop/loop.h"
#include "runtime/net/send_queue.h"
#include "runtime/net/sockets.h"

namespace muster::runtime {

struct TcpNetOptions {
    std::size_t connections_max = 100'000;
    // A connection with more unsent bytes is congested until they are written; past the hard limit
    // it is closed.
    std::size_t queue_soft_max_bytes = std::size_t{1} << 20;
    std::size_t queue_hard_max_bytes = std::size_t{64} << 20;
    int backlog = 4096;
    Duration dial_timeout = std::chrono::seconds(3);
    std::string
        dial_from;  // IP address that dialled connections begin at; empty: the kernel's choice
    // How long close() goes on to send what is queued and waits for the peer to close too.
    Duration close_timeout = std::chrono::seconds(2);
    KeepAliveOptions keep_alive;
};

struct TcpNetStats {
    Counter accepted;
    Counter dialled;
    Counter dial_failures;
    Counter closed;
    Counter refused_over_cap;
    Counter refused_no_descriptor;
    Counter over_queue_limit;
    Counter stopped;
    Counter writes;
    Counter blocked_writes;
    Counter bytes_in;
    Counter bytes_out;
};

// env::Net over non-blocking TCP sockets on one Loop.
//
// send() writes to the socket at once when nothing is queued before; only what the kernel does not
// take is queued, and what is sent gathered. What a handler sends to the connection whose bytes it
// is given goes out together when it returns. One read buffer serves all connections.
//
//   connection:  dialling -> open -> closing (ours: flush, FIN, wait for the peer's) -> free
//                    \________\____ broken (reported on the next turn) ______________/
//
// Must be destroyed before its Loop; handlers hear nothing of the destruction. Loop thread only.
// Bounds: TcpNetOptions; a connection reads at most 256 KiB a turn.
class TcpNet final : public env::Net,
                     public env::GatheredSends,
                     private FdHandler,
                     private env::TimerTarget {
public:
    TcpNet(Loop& loop, TcpNetOptions options);
    ~TcpNet() override;
    TcpNet(const TcpNet&) = delete;
    TcpNet& operator=(const TcpNet&) = delete;

    Result<env::ListenerId> listen(const env::SocketAddress& at,
                                   env::ConnectionHandler& handler) override;
    [[nodiscard]] env::SocketAddress local_address(env::ListenerId listener) const override;
    void stop_listening(env::ListenerId listener) override;
    env::ConnId dial(const env::SocketAddress& to, env::ConnectionHandler& handler) override;
    void send(env::ConnId conn, std::string bytes) override;
    void send(env::ConnId conn, std::string head, SharedBytes body, std::string tail) override;
    void send_gathered(env::ConnId conn, std::string bytes) override;
    [[nodiscard]] bool congested(env::ConnId conn) const override;
    [[nodiscard]] std::size_t queued_bytes(env::ConnId conn) const override;
    void stop_reading(env::ConnId conn) override;
    void go_on_reading(env::ConnId conn) override;
    void close(env::ConnId conn) override;

    [[nodiscard]] const TcpNetStats& stats() const {
        return stats_;
    }
    // Connections of any state, those being closed included.
    [[nodiscard]] std::size_t connection_count() const {
        return connections_.size() - free_.size();
    }
    void write_metrics(MetricsWriter& writer) const;

private:
    enum class State : std::uint8_t { free, dialling, open, closing };

    struct Connection {
        Fd fd;
        WatchId watch;
        std::uint32_t index = 0;
        std::uint32_t generation = 1;
        State state = State::free;
        bool wants_write = false;  // waiting for writability
        bool congested = false;
        bool input_ended = false;  // closing: the peer's FIN was seen
        bool gathering = false;    // in gathering_
        bool stopped = false;      // its owner wants nothing more to be read
        env::ConnectionHandler* handler = nullptr;
        SendQueue queue;
        std::optional<Error> fault;  // broken; to be reported
    };
    struct Listener {
        Fd fd;
        WatchId watch;
        env::ConnectionHandler* handler = nullptr;
        env::SocketAddress address;
    };

    [[nodiscard]] static env::ConnId id_of(const Connection& conn);
    [[nodiscard]] Connection* find(env::ConnId id);
    [[nodiscard]] const Connection* find(env::ConnId id) const;

    void on_fd(std::uint64_t cookie, Readiness ready) override;
    void on_timer(env::TimerKey key) override;

    // Life and death (tcp_net.cc).
    [[nodiscard]] Connection& acquire(State state, env::ConnectionHandler& handler);
    void release(Connection& conn);
    void report_closed(Connection& conn, const Error& why);
    void break_later(Connection& conn, Error why);
    void report_faults();
    void on_dialled(Connection& conn);
    void accept_ready(std::uint32_t listener);
    void adopt(Accepted accepted, env::ConnectionHandler& handler);
    void refuse_for_lack_of_descriptors(std::uint32_t id, Listener& listener);

    // Bytes (tcp_net_io.cc).
    void read_ready(Connection& conn, unsigned reads_max);
    void discard_ready(Connection& conn);
    void write_ready(Connection& conn);
    void flush(Connection& conn);
    void flush_unforced(Connection& conn);
    void flush_gathered();
    [[nodiscard]] std::size_t write_parts(Connection& conn, std::span<iovec> parts);
    void after_queueing(Connection& conn);
    void want_write(Connection& conn, bool wanted);
    void update_interest(const Connection& conn);
    void finish_closing(Connection& conn);

    Loop& loop_;
    TcpNetOptions options_;
    LoopTimers timers_;
    Fd spare_;  // given up to accept and refuse when descriptors run out
    std::deque<Connection> connections_;
    std::vector<std::uint32_t> free_;
    std::map<std::uint32_t, Listener> listeners_;
    std::uint32_t last_listener_ = 0;
    std::vector<env::ConnId> faults_;
    std::vector<env::ConnId> gathering_;  // something is written to them at the end of the turn
    const Connection* corked_ = nullptr;  // its handler is being given bytes
    std::unique_ptr<std::array<char, 64 * 1024>> read_buffer_;
    TcpNetStats stats_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace muster::runtime
