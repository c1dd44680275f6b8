#include "runtime/net/send_queue.h"

#include <utility>

#include "base/check.h"

namespace muster::runtime {
namespace {

constexpr std::size_t kMergeUpTo = 16 * 1024;
constexpr std::size_t kCopySharedUpTo = 1024;
constexpr std::size_t kKeepPieces = 64;

}  // namespace

void SendQueue::push(std::string part, std::size_t skip) {
    CHECK(skip <= part.size());
    if (skip == part.size() || merge(std::string_view(part).substr(skip))) {
        return;
    }
    add(Piece{.own = std::move(part), .shared = nullptr}, skip);
}

void SendQueue::push(const SharedBytes& part, std::size_t skip) {
    if (part == nullptr) {
        return;
    }
    CHECK(skip <= part->size());
    const std::string_view rest = std::string_view(*part).substr(skip);
    if (rest.size() <= kCopySharedUpTo) {
        push(std::string(rest));
        return;
    }
    add(Piece{.own = {}, .shared = part}, skip);
}

bool SendQueue::merge(std::string_view part) {
    if (bytes_ == 0 || pieces_.back().shared != nullptr) {
        return false;
    }
    std::string& last = pieces_.back().own;
    if (last.size() + part.size() > kMergeUpTo) {
        return false;
    }
    last.append(part);
    bytes_ += part.size();
    return true;
}

void SendQueue::add(Piece piece, std::size_t skip) {
    std::size_t size = piece.view().size() - skip;
    if (bytes_ == 0) {
        offset_ = skip;
    } else if (skip > 0) {
        // Only the first piece has an offset; parts are cut only when the queue was empty.
        piece = Piece{.own = std::string(piece.view().substr(skip)), .shared = nullptr};
    }
    bytes_ += size;
    pieces_.push_back(std::move(piece));
}

std::size_t SendQueue::gather(std::span<iovec> out) const {
    std::size_t count = 0;
    for (std::size_t i = first_; i < pieces_.size() && count < out.size(); ++i) {
        const std::string_view view = pieces_[i].view().substr(i == first_ ? offset_ : 0);
        // sendmsg does not write through it; iovec has no const form.
        out[count++] = iovec{.iov_base = const_cast<char*>(view.data()), .iov_len = view.size()};
    }
    return count;
}

void SendQueue::consume(std::size_t count) {
    CHECK(count <= bytes_);
    bytes_ -= count;
    if (bytes_ == 0) {
        clear();
        return;
    }
    while (count > 0) {
        const std::size_t left = pieces_[first_].view().size() - offset_;
        if (count < left) {
            offset_ += count;
            break;
        }
        count -= left;
        offset_ = 0;
        pieces_[first_++] = Piece{};
    }
    if (first_ >= kKeepPieces && first_ * 2 >= pieces_.size()) {
        pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
    }
}

void SendQueue::clear() {
    bytes_ = 0;
    first_ = 0;
    offset_ = 0;
    pieces_.clear();
    if (pieces_.capacity() > kKeepPieces) {
        pieces_.shrink_to_fit();
    }
}

}  // namespace muster::runtime
