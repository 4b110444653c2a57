// A plain loop around ExecuTorch: load a program, run it, print every latency in nanoseconds.
//
//   native_loop MODEL.pte THREADS WARM_UP INFERENCES DIM...
//
// Our measurements are compared with it (see overhead.py).

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <executorch/extension/module/module.h>
#include <executorch/extension/tensor/tensor.h>

// The library has this; its header is not among those that come with it.
namespace executorch::extension::threadpool {
class ThreadPool {
 public:
  bool _unsafe_reset_threadpool(uint32_t threads);
};
ThreadPool* get_threadpool();
}  // namespace executorch::extension::threadpool

using executorch::extension::Module;
using executorch::extension::from_blob;

int main(int count, char** arguments) {
  if (count < 6) {
    std::fprintf(stderr, "usage: native_loop MODEL.pte THREADS WARM_UP INFERENCES DIM...\n");
    return 2;
  }
  executorch::extension::threadpool::get_threadpool()->_unsafe_reset_threadpool(
      std::atoi(arguments[2]));
  const int warm_up = std::atoi(arguments[3]), inferences = std::atoi(arguments[4]);
  std::vector<executorch::aten::SizesType> shape;
  size_t elements = 1;
  for (int index = 5; index < count; ++index) {
    shape.push_back(std::atoi(arguments[index]));
    elements *= shape.back();
  }
  std::vector<float> values(elements);
  for (size_t index = 0; index < elements; ++index) {
    values[index] = static_cast<float>(index % 17) / 8.0f - 1.0f;
  }
  Module module(arguments[1]);
  auto input = from_blob(values.data(), shape);
  for (int index = 0; index < warm_up + inferences; ++index) {
    const auto started = std::chrono::steady_clock::now();
    const auto result = module.forward(input);
    const auto ended = std::chrono::steady_clock::now();
    if (!result.ok()) {
      std::fprintf(stderr, "forward failed: %d\n", static_cast<int>(result.error()));
      return 1;
    }
    if (index >= warm_up) {
      std::printf("%lld\n", static_cast<long long>(
          std::chrono::duration_cast<std::chrono::nanoseconds>(ended - started).count()));
    }
  }
  return 0;
}
