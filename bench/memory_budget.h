#pragma once

#include <cstdint>

namespace muster::bench {

// Memory this process may take, out of what the machine has to spare, said before any is taken.
class MemoryBudget {
public:
    // At most `wanted`, and not more than two thirds of what is there. Ends the program with a
    // sentence when `needed` is not there. From now on this process cannot take more.
    MemoryBudget(std::uint64_t wanted, std::uint64_t needed);

    [[nodiscard]] std::uint64_t bytes() const {
        return bytes_;
    }

    // Resident memory of this process.
    [[nodiscard]] static std::uint64_t used();

private:
    std::uint64_t bytes_ = 0;
};

}  // namespace muster::bench
