#pragma once

#include <utility>

#include <unistd.h>

namespace muster::runtime {

// Owns one file descriptor; -1 is none.
class Fd {
public:
    Fd() = default;
    explicit Fd(int raw) : raw_(raw) {}
    Fd(Fd&& other) noexcept : raw_(std::exchange(other.raw_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            reset();
            raw_ = std::exchange(other.raw_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() {
        reset();
    }

    [[nodiscard]] int raw() const {
        return raw_;
    }
    [[nodiscard]] bool valid() const {
        return raw_ >= 0;
    }
    void reset() {
        if (raw_ >= 0) {
            ::close(std::exchange(raw_, -1));
        }
    }

private:
    int raw_ = -1;
};

}  // namespace muster::runtime
