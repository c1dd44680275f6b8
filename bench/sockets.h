#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "wire/bolt/frame_decoder.h"

namespace muster::bench {

// A blocking loopback connection that reads bolt frames. What goes wrong ends the program with a
// sentence: a load generator has no one to answer to.
class Connection {
public:
    explicit Connection(std::uint16_t port);
    // Takes over a connected descriptor.
    static Connection adopt(int fd);
    Connection(Connection&& other) noexcept;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    Connection& operator=(Connection&&) = delete;
    ~Connection();

    void send(std::string_view bytes) const;
    void receive_exactly(std::size_t bytes);

    // The next frame; its views are valid until the next call.
    [[nodiscard]] bolt::Frame next_frame();

    // Feeds what is there without waiting and gives whole frames to `take`.
    template <typename Take>
    void drain(const Take& take);

    [[nodiscard]] int fd() const {
        return fd_;
    }
    [[nodiscard]] std::uint64_t bytes_read() const {
        return bytes_read_;
    }

private:
    struct FromFd {};
    Connection(FromFd, int fd);
    // Bytes now readable into the shared buffer; 0 when none and not `wait`.
    [[nodiscard]] std::string_view read_some(bool wait);

    int fd_ = -1;
    std::unique_ptr<bolt::FrameReader> reader_;
    std::uint64_t bytes_read_ = 0;
};

// Prints and exits with status 1.
[[noreturn]] void die(const std::string& what);

template <typename Take>
void Connection::drain(const Take& take) {
    const std::string_view bytes = read_some(false);
    if (bytes.empty()) {
        return;
    }
    reader_->feed(bytes);
    while (true) {
        const bolt::DecodedFrame decoded = reader_->next();
        if (decoded.outcome == bolt::Decode::need_more) {
            return;
        }
        if (decoded.outcome != bolt::Decode::message) {
            die("a frame that is none: " + std::string(decoded.why));
        }
        take(decoded.frame);
    }
}

}  // namespace muster::bench
