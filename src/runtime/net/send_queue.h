#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/uio.h>

#include "base/bytes.h"

namespace muster::runtime {

// Bytes one connection still has to write, in order: own ones and shared ones. Small pieces are
// merged, so that the memory of a queue stays near its byte count whatever the sizes are. Nothing
// is allocated while it is empty. Loop thread only; the owner bounds bytes().
class SendQueue {
public:
    [[nodiscard]] bool empty() const {
        return bytes_ == 0;
    }
    [[nodiscard]] std::size_t bytes() const {
        return bytes_;
    }

    // Appends what `part` holds from `skip` on. Requires: skip <= size.
    void push(std::string part, std::size_t skip = 0);
    void push(const SharedBytes& part, std::size_t skip = 0);

    // Fills `out` with the first pieces; gives how many.
    [[nodiscard]] std::size_t gather(std::span<iovec> out) const;

    // Forgets the first `count` bytes. Requires: count <= bytes().
    void consume(std::size_t count);
    void clear();

private:
    struct Piece {
        std::string own;
        SharedBytes shared;  // null: own

        [[nodiscard]] std::string_view view() const {
            return shared != nullptr ? std::string_view(*shared) : std::string_view(own);
        }
    };

    [[nodiscard]] bool merge(std::string_view part);
    void add(Piece piece, std::size_t skip);

    std::vector<Piece> pieces_;
    std::size_t first_ = 0;   // pieces before it are written
    std::size_t offset_ = 0;  // written bytes of the first piece
    std::size_t bytes_ = 0;
};

}  // namespace muster::runtime
