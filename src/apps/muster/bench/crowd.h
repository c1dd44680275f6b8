#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/muster/bench/dialect.h"
#include "apps/muster/bench/servers.h"
#include "base/result.h"
#include "base/time.h"
#include "msg/client.h"
#include "wire/bolt/frame_decoder.h"

namespace muster::cli::bench {

// Is told what comes over a crowd's connections, with the time at which it was read. May send and
// drop; must not connect or run.
class Ears {
public:
    virtual ~Ears() = default;
    virtual void on_push(std::size_t conn, const msg::Push& push, Duration at) = 0;
    // An Error: the request failed as a whole.
    virtual void on_reply(std::size_t conn, std::uint32_t request,
                          const Result<msg::RequestReply>& reply, Duration at) = 0;
};

// Many connections to the client ports of servers, dealt out in turn, read by one epoll loop as a
// client machine would. Beats the heart of each, evenly over time. What cannot be sent at once
// waits, at most kUnsentMax of a connection. Connections are numbered in the order in which they
// were opened; a number is never used again. One thread.
class Crowd {
public:
    static constexpr std::size_t kUnsentMax = std::size_t{16} << 20U;

    enum class Ended : std::uint8_t { done, late, stopped };

    // `stop` is asked in each turn. Requires: `dialect` and `ears` outlive it.
    Crowd(std::vector<Address> servers, Dialect& dialect, Ears& ears, std::function<bool()> stop);
    ~Crowd();
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;

    // Begins to open so many more; connected() tells how far it is while the crowd runs.
    void connect(std::size_t count);
    [[nodiscard]] std::size_t connected() const {
        return connected_;
    }
    // Opened so far, whatever became of them.
    [[nodiscard]] std::size_t size() const {
        return wires_.size();
    }

    void say(std::size_t conn, const msg::ClientMessage& message);
    // From now on the connection says that it takes no packed pushes. Requires: it subscribed to
    // nothing yet.
    void take_unpacked(std::size_t conn) {
        wires_[conn].takes_packed = false;
    }
    // Closes without a word.
    void drop(std::size_t conn);
    [[nodiscard]] bool is_open(std::size_t conn) const {
        return wires_[conn].fd >= 0;
    }

    // Reads and sends until `done`, or `deadline` is over, or the stop is asked for. Errors: closed
    // (by the server), bad_frame, unavailable (cannot connect), busy (the server does not read).
    [[nodiscard]] Result<Ended> run(const std::function<bool()>& done, Duration deadline);

    // From now on connections that end and a stop that is asked for hinder nothing: for the end,
    // when what was registered is taken back.
    void forgive();

    // Called for each connection when it is open; may send.
    void on_open(std::function<void(std::size_t)> call) {
        on_open_ = std::move(call);
    }

    // Called in each turn of run(), ten times a second at least.
    void on_turn(std::function<void()> call) {
        on_turn_ = std::move(call);
    }

    [[nodiscard]] std::uint64_t bytes_sent() const {
        return bytes_sent_;
    }
    [[nodiscard]] std::uint64_t bytes_received() const {
        return bytes_received_;
    }
    // By so many connections from the first one on.
    [[nodiscard]] std::uint64_t bytes_received(std::size_t first, std::size_t count) const;

private:
    struct Wire {
        int fd = -1;
        const Address* server = nullptr;
        bool connecting = false;
        bool takes_packed = true;
        std::unique_ptr<bolt::FrameReader> reader;
        std::string unsent;
        std::uint64_t received = 0;
    };

    void send(std::size_t conn, std::string_view bytes);
    void open_some();
    void open_one();
    void on_connected(std::size_t conn);
    void on_event(std::size_t conn, std::uint32_t events);
    void on_readable(std::size_t conn);
    void read_frames(std::size_t conn, std::string_view bytes, Duration at);
    void take(std::size_t conn, const bolt::Frame& frame, Duration at);
    void flush(std::size_t conn);
    void watch(std::size_t conn, int operation) const;
    void close(Wire& wire);
    void lose(std::size_t conn, Errc code, const std::string& why);
    void beat(Duration now);
    void arm(Duration until) const;
    void wait();

    std::vector<Address> servers_;
    Dialect& dialect_;
    Ears& ears_;
    std::function<bool()> stop_;
    std::function<void()> on_turn_;
    std::function<void(std::size_t)> on_open_;
    int poll_;
    int timer_;
    std::deque<Wire> wires_;  // never moves what is in it
    std::size_t wanted_ = 0;
    std::size_t connecting_ = 0;
    std::size_t connected_ = 0;
    std::optional<Error> failure_;
    bool forgiving_ = false;
    std::string heartbeat_;
    Duration next_beat_{};
    std::size_t beat_from_ = 0;
    std::uint64_t bytes_sent_ = 0;
    std::uint64_t bytes_received_ = 0;
};

}  // namespace muster::cli::bench
